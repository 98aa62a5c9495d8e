"""The files of one open upload. All functions block; the package documents the files."""

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from metastore.adapters.object_store.local.durable_io import sync_folder, write_all, write_file, write_unsynced
from metastore.adapters.object_store.local.layout import DATA, OBJECT_METADATA, PARTS, UPLOAD_METADATA
from metastore.adapters.object_store.local.metadata import ObjectMetadata, UploadMetadata
from metastore.adapters.object_store.local.part_log import RECORD_SIZE, PartRecord, decode_records
from metastore.ports.object_store import ObjectStoreError, UploadTarget

_COPY_STEP = 2**30
_SIDE = "side-"
_UNPUBLISHED = f"{UPLOAD_METADATA}.new"


class UploadFiles:
    """The folder of an open upload."""

    def __init__(self, folder: Path, metadata: UploadMetadata, next_slot: int = 0) -> None:
        self.folder = folder
        self.metadata = metadata
        self._slots = itertools.count(next_slot)

    @classmethod
    def create(cls, folder: Path, metadata: UploadMetadata, part_count: int, *, resumable: bool) -> "UploadFiles":
        """Create the folder and allocate space for all bytes and for a record of each part.

        Without ``resumable``, the files that would let the upload survive a restart are not written.
        """
        folder.mkdir(mode=0o700)
        try:
            _allocate(folder / DATA, metadata.size)
            if resumable:
                _allocate(folder / PARTS, part_count * RECORD_SIZE)
                write_file(folder / UPLOAD_METADATA, metadata.encode())
                sync_folder(folder)
                sync_folder(folder.parent)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, metadata)

    @classmethod
    def load(cls, folder: Path) -> "tuple[UploadFiles, dict[int, tuple[int, PartRecord]]]":
        """Load an upload; returns its files and, by part number, the winning record with its slot.

        Side files that no record names are removed.

        Raises:
            FileNotFoundError: there is no such upload.
        """
        metadata = UploadMetadata.decode((folder / UPLOAD_METADATA).read_bytes())
        records: dict[int, tuple[int, PartRecord]] = {}
        next_slot = 0
        sides = {path.name.removeprefix(_SIDE) for path in folder.glob(f"{_SIDE}*")}
        for slot, record in decode_records((folder / PARTS).read_bytes()):
            next_slot = slot + 1
            if record.side is None or record.side in sides:
                records[record.number] = (slot, record)
        files = cls(folder, metadata, next_slot)
        for side in sides - {record.side for _, record in records.values()}:
            files.side_path(side).unlink()
        return files, records

    def side_path(self, side: str) -> Path:
        """Return the path of a side file."""
        return self.folder / f"{_SIDE}{side}"

    def open_part(self, number: int, side: str | None, length: int) -> tuple[int, int]:
        """Open the file to write a part to; return its descriptor and the part's offset in it.

        A side file is created and allocated at full length.
        """
        if side is None:
            return os.open(self.folder / DATA, os.O_WRONLY), (number - 1) * self.metadata.part_size
        path = self.side_path(side)
        try:
            _allocate(path, length)
            return os.open(path, os.O_WRONLY), 0
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def commit_part(self, record: PartRecord, handle: int) -> int:
        """Sync the part written to ``handle``, then write its record; return the record's slot."""
        os.fdatasync(handle)
        if record.side:
            sync_folder(self.folder)
        return self.append(record)

    def append(self, *records: PartRecord, synced: bool = True) -> int:
        """Write records to the log, durably if ``synced``; return the slot of the last."""
        slot = -1
        log = os.open(self.folder / PARTS, os.O_WRONLY)
        try:
            for record in records:
                slot = next(self._slots)
                write_all(log, record.encode(), slot * RECORD_SIZE)
            if synced:
                os.fdatasync(log)
        except OSError:
            _erase(log, slot)
            raise
        finally:
            os.close(log)
        return slot

    def erase(self, slot: int) -> None:
        """Remove the record in this slot, of a part that is rejected after all."""
        log = os.open(self.folder / PARTS, os.O_WRONLY)
        try:
            _erase(log, slot)
        finally:
            os.close(log)

    def merge_side_files(self, records: Iterable[PartRecord]) -> list[tuple[int, PartRecord]]:
        """Copy parts from their side files into place; return their new slots and records.

        Safe to interrupt and repeat: side files are kept until the new records are durable.
        """
        moved = [record for record in records if record.side]
        if not moved:
            return []
        data = os.open(self.folder / DATA, os.O_WRONLY)
        try:
            for record in moved:
                _copy(
                    self.side_path(record.side or ""), data, (record.number - 1) * self.metadata.part_size, record.size
                )
            os.fdatasync(data)
        finally:
            os.close(data)
        merged = [PartRecord(record.number, record.size, record.digest, None) for record in moved]
        last = self.append(*merged)
        for record in moved:
            self.side_path(record.side or "").unlink()
        return list(enumerate(merged, start=last - len(merged) + 1))

    def publish(self, target: Path, metadata: ObjectMetadata) -> None:
        """Turn the folder into the object folder ``target`` with one rename.

        Raises:
            ObjectStoreError: the object already exists.
        """
        write_file(self.folder / OBJECT_METADATA, metadata.encode())
        sync_folder(self.folder)
        self.rename(target, metadata.key)
        sync_folder(target.parent)
        sync_folder(self.folder.parent)
        remove_upload_files(target)

    def rename(self, target: Path, key: str) -> None:
        """Rename the folder to the object folder ``target``, not durably.

        Raises:
            ObjectStoreError: the object already exists.
        """
        try:
            self.folder.rename(target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise ObjectStoreError(f"object {key} already exists") from None
            raise

    def matches(self, target: UploadTarget) -> bool:
        """Return whether ``target`` describes this upload."""
        metadata = self.metadata
        return (metadata.key, metadata.size, metadata.part_size) == (target.key, target.size, target.part_size)


class Creation:
    """The ``Change`` that creates the folder of an upload; ``require_space`` raises if there is no room for it."""

    def __init__(
        self, folder: Path, metadata: UploadMetadata, part_count: int, require_space: Callable[[int], None]
    ) -> None:
        self._folder = folder
        self._metadata = metadata
        self._part_count = part_count
        self._require_space = require_space
        self.files = UploadFiles(folder, metadata)
        """The created folder."""

    def make_alone(self) -> None:
        """Implement ``Change``."""
        self._require_space(self._metadata.size)
        UploadFiles.create(self._folder, self._metadata, self._part_count, resumable=True)

    def prepare(self) -> None:
        """Implement ``Change``."""
        self._require_space(self._metadata.size)
        self._folder.mkdir(mode=0o700)
        _allocate(self._folder / DATA, self._metadata.size, synced=False)
        _allocate(self._folder / PARTS, self._part_count * RECORD_SIZE, synced=False)
        write_unsynced(self._folder / _UNPUBLISHED, self._metadata.encode())

    def publish(self) -> None:
        """Implement ``Change``: without ``upload.json`` the folder is not an upload."""
        (self._folder / _UNPUBLISHED).rename(self._folder / UPLOAD_METADATA)

    def finish(self) -> None:
        """Implement ``Change``."""

    def undo(self, *, published: bool) -> None:
        """Implement ``Change``."""
        shutil.rmtree(self._folder, ignore_errors=True)


class Completion:
    """The ``Change`` that turns the folder of an upload without side files into the object folder ``target``.

    It raises ``ObjectStoreError`` if the object already exists.
    """

    def __init__(self, files: UploadFiles, target: Path, metadata: ObjectMetadata) -> None:
        self._files = files
        self._target = target
        self._metadata = metadata

    def make_alone(self) -> None:
        """Implement ``Change``."""
        self._files.publish(self._target, self._metadata)

    def prepare(self) -> None:
        """Implement ``Change``."""
        write_unsynced(self._files.folder / OBJECT_METADATA, self._metadata.encode())

    def publish(self) -> None:
        """Implement ``Change``."""
        self._files.rename(self._target, self._metadata.key)

    def finish(self) -> None:
        """Implement ``Change``."""
        remove_upload_files(self._target)

    def undo(self, *, published: bool) -> None:
        """Implement ``Change``: the upload can be completed again, and a published object is found then."""


def remove_upload_files(target: Path) -> None:
    """Remove what an object no longer needs of its upload."""
    for name in (UPLOAD_METADATA, PARTS):
        (target / name).unlink(missing_ok=True)
    for path in target.glob(f"{_SIDE}*"):
        path.unlink(missing_ok=True)


def _allocate(path: Path, size: int, *, synced: bool = True) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if size:
            os.posix_fallocate(handle, 0, size)
        if synced:
            os.fsync(handle)
    finally:
        os.close(handle)


def _erase(log: int, slot: int) -> None:
    """Zero a slot after a failed write, so that a rejected part does not reappear after a restart."""
    with contextlib.suppress(OSError):
        write_all(log, bytes(RECORD_SIZE), slot * RECORD_SIZE)


def _copy(source: Path, target: int, offset: int, length: int) -> None:
    handle = os.open(source, os.O_RDONLY)
    try:
        done = 0
        while done < length:
            copied = os.copy_file_range(handle, target, min(length - done, _COPY_STEP), done, offset + done)
            if not copied:
                raise OSError(errno.EIO, f"{source.name} is shorter than recorded")
            done += copied
    finally:
        os.close(handle)
