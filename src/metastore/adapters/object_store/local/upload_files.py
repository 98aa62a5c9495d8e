"""The files of one open upload. Everything here blocks; the package tells what the files are."""

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from metastore.adapters.object_store.local.durable import sync_folder, write_all, write_file
from metastore.adapters.object_store.local.facts import ObjectFacts, UploadFacts
from metastore.adapters.object_store.local.layout import DATA, OBJECT_FACTS, PARTS, UPLOAD_FACTS
from metastore.adapters.object_store.local.records import RECORD_SIZE, PartRecord, decode_records
from metastore.ports.object_store import ObjectStoreError, UploadTarget

_COPY_STEP = 2**30
_SIDE = "side-"


class UploadFiles:
    """The folder of an upload."""

    def __init__(self, folder: Path, facts: UploadFacts, next_slot: int = 0) -> None:
        self.folder = folder
        self.facts = facts
        self._slots = itertools.count(next_slot)

    @classmethod
    def create(cls, folder: Path, facts: UploadFacts, part_count: int, *, resumable: bool) -> "UploadFiles":
        """Make the folder with room for all bytes and for a record of every part.

        Without ``resumable`` nothing is written that would let the upload outlive the process.
        """
        folder.mkdir(mode=0o700)
        try:
            _allocate(folder / DATA, facts.size)
            if resumable:
                _allocate(folder / PARTS, part_count * RECORD_SIZE)
                write_file(folder / UPLOAD_FACTS, facts.encode())
                sync_folder(folder)
                sync_folder(folder.parent)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, facts)

    @classmethod
    def load(cls, folder: Path) -> "tuple[UploadFiles, dict[int, tuple[int, PartRecord]]]":
        """The files of an upload with what they record: by part number, the slot and the record that holds.

        Side files that no record names any more are removed.

        Raises:
            FileNotFoundError: there is no such upload.
        """
        facts = UploadFacts.decode((folder / UPLOAD_FACTS).read_bytes())
        records: dict[int, tuple[int, PartRecord]] = {}
        next_slot = 0
        sides = {path.name.removeprefix(_SIDE) for path in folder.glob(f"{_SIDE}*")}
        for slot, record in decode_records((folder / PARTS).read_bytes()):
            next_slot = slot + 1
            if record.side is None or record.side in sides:
                records[record.number] = (slot, record)
        files = cls(folder, facts, next_slot)
        for side in sides - {record.side for _, record in records.values()}:
            files.side_path(side).unlink()
        return files, records

    def side_path(self, side: str) -> Path:
        """Where a side file is."""
        return self.folder / f"{_SIDE}{side}"

    def open_part(self, number: int, side: str | None, length: int) -> tuple[int, int]:
        """A handle to write a part through, and the offset where it begins; a side file is created at full length."""
        if side is None:
            return os.open(self.folder / DATA, os.O_WRONLY), (number - 1) * self.facts.part_size
        path = self.side_path(side)
        try:
            _allocate(path, length)
            return os.open(path, os.O_WRONLY), 0
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def record(self, record: PartRecord, part: int) -> int:
        """Make a part, written through the handle ``part``, durable, then its record; returns the record's slot."""
        os.fdatasync(part)
        if record.side:
            sync_folder(self.folder)
        return self.append(record)

    def append(self, *records: PartRecord) -> int:
        """Write records durably; returns the slot of the last."""
        slot = -1
        log = os.open(self.folder / PARTS, os.O_WRONLY)
        try:
            for record in records:
                slot = next(self._slots)
                write_all(log, record.encode(), slot * RECORD_SIZE)
            os.fdatasync(log)
        except OSError:
            _erase(log, slot)
            raise
        finally:
            os.close(log)
        return slot

    def settle(self, records: Iterable[PartRecord]) -> list[tuple[int, PartRecord]]:
        """Copy parts from their side files in place; returns their new slots and records.

        May be cut off and done again: the side files hold until the new records are durable.
        """
        moved = [record for record in records if record.side]
        if not moved:
            return []
        data = os.open(self.folder / DATA, os.O_WRONLY)
        try:
            for record in moved:
                _copy(self.side_path(record.side or ""), data, (record.number - 1) * self.facts.part_size, record.size)
            os.fdatasync(data)
        finally:
            os.close(data)
        settled = [PartRecord(record.number, record.size, record.digest, None) for record in moved]
        last = self.append(*settled)
        for record in moved:
            self.side_path(record.side or "").unlink()
        return list(enumerate(settled, start=last - len(settled) + 1))

    def become(self, target: Path, facts: ObjectFacts) -> None:
        """Turn the folder into the object ``target`` by one rename.

        Raises:
            ObjectStoreError: there is an object already.
        """
        write_file(self.folder / OBJECT_FACTS, facts.encode())
        sync_folder(self.folder)
        try:
            self.folder.rename(target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise ObjectStoreError(f"there is an object under {facts.key} already") from None
            raise
        sync_folder(target.parent)
        sync_folder(self.folder.parent)
        for name in (UPLOAD_FACTS, PARTS):
            (target / name).unlink(missing_ok=True)
        for path in target.glob(f"{_SIDE}*"):
            path.unlink(missing_ok=True)

    def fits(self, target: UploadTarget) -> bool:
        """Whether a caller means this upload."""
        facts = self.facts
        return (facts.key, facts.size, facts.part_size) == (target.key, target.size, target.part_size)


def _allocate(path: Path, size: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if size:
            os.posix_fallocate(handle, 0, size)
        os.fsync(handle)
    finally:
        os.close(handle)


def _erase(log: int, slot: int) -> None:
    """Take back a record that may have been half written: what was refused must not turn up after a restart."""
    with contextlib.suppress(OSError):
        write_all(log, bytes(RECORD_SIZE), slot * RECORD_SIZE)


def _copy(source: Path, target: int, offset: int, length: int) -> None:
    handle = os.open(source, os.O_RDONLY)
    try:
        done = 0
        while done < length:
            copied = os.copy_file_range(handle, target, min(length - done, _COPY_STEP), done, offset + done)
            if not copied:
                raise OSError(errno.EIO, f"{source.name} is shorter than its record says")
            done += copied
    finally:
        os.close(handle)
