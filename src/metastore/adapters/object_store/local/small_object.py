"""Store objects that arrive whole.

``Put`` and ``write_many`` take bytes that are in memory, ``write_streamed`` a stream. An object is written in a folder
of ``uploads`` that has no ``upload.json``, so that a restart removes it, and becomes visible by a rename once it is on
disk.
"""

import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from metastore.adapters.object_store.local.durable_io import file_system_sync, sync_folder, write_all, write_vector
from metastore.adapters.object_store.local.layout import DATA, OBJECT_METADATA
from metastore.adapters.object_store.local.metadata import ObjectMetadata, UploadMetadata, describe_object
from metastore.adapters.object_store.local.part_writer import BATCH
from metastore.adapters.object_store.local.thread_pools import FileThreads
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.kit.clock import Clock
from metastore.ports.object_store import ObjectStoreError


@dataclass(frozen=True, slots=True)
class WholeObject:
    """An object to write: its bytes, the folder to write them in, and the object's folder."""

    folder: Path
    target: Path
    metadata: UploadMetadata
    content: bytes


class Put:
    """The ``Change`` that writes one object from memory; ``require_space`` raises if there is no room for it.

    It raises ``ObjectStoreError`` if the object already exists.
    """

    def __init__(self, whole: WholeObject, clock: Clock, require_space: Callable[[int], None]) -> None:
        self._whole = whole
        self._clock = clock
        self._require_space = require_space
        self._described: ObjectMetadata | None = None

    @property
    def described(self) -> ObjectMetadata:
        """The metadata of the object, once it is stored."""
        assert self._described is not None  # noqa: S101  set by both ways to make the change
        return self._described

    def make_alone(self) -> None:
        """Implement ``Change``."""
        try:
            self._write(synced=True)
            sync_folder(self._whole.folder)
            self.publish()
        except BaseException:
            self.undo(published=False)
            raise
        sync_folder(self._whole.target.parent)

    def prepare(self) -> None:
        """Implement ``Change``."""
        self._write(synced=False)

    def publish(self) -> None:
        """Implement ``Change``."""
        _publish(self._whole)

    def finish(self) -> None:
        """Implement ``Change``."""

    def undo(self, *, published: bool) -> None:
        """Implement ``Change``."""
        shutil.rmtree(self._whole.target if published else self._whole.folder, ignore_errors=True)

    def _write(self, *, synced: bool) -> None:
        self._require_space(len(self._whole.content))
        self._described = _write(self._whole, self._clock, synced=synced)


def write_many(objects: Sequence[WholeObject], clock: Clock) -> list[ObjectMetadata]:
    """Write several objects from memory, all or none. Blocks.

    The file system is synced as a whole, once for the bytes and once for the renames. For 200 objects of 22 kB that
    takes a third of the processor time of syncing each file and folder, and a tenth of the time.

    Raises:
        ObjectStoreError: an object already exists.
    """
    published: list[WholeObject] = []
    try:
        with file_system_sync(objects[0].folder.parent) as sync:
            described = [_write(whole, clock, synced=False) for whole in objects]
            sync()
            for whole in objects:
                _publish(whole)
                published.append(whole)
            sync()
    except BaseException:
        for whole in objects:
            shutil.rmtree(whole.folder, ignore_errors=True)
        for whole in published:
            shutil.rmtree(whole.target, ignore_errors=True)
        raise
    return described


async def read_all(chunks: AsyncIterator[bytes], size: int) -> bytes:
    """Return the whole stream.

    Raises:
        ValueError: the number of bytes is not ``size``.
    """
    received: list[bytes] = []
    length = 0
    async for chunk in chunks:
        received.append(chunk)
        length += len(chunk)
        if length > size:
            raise ValueError(f"more than {size} bytes")
    if length != size:
        raise ValueError(f"{length} of {size} bytes")
    return b"".join(received)


async def write_streamed(
    folder: Path,
    target: Path,
    metadata: UploadMetadata,
    chunks: AsyncIterator[bytes],
    threads: FileThreads,
    clock: Clock,
) -> ObjectMetadata:
    """Write ``chunks`` to ``folder`` and rename it to the object folder ``target``. An error leaves nothing behind.

    Raises:
        ValueError: the number of bytes is not ``metadata.size``.
    """
    files = await threads.call(UploadFiles.create, folder, metadata, 1, resumable=False)
    data = _Data(folder / DATA, metadata.size)
    try:
        batch: list[bytes] = []
        async for chunk in chunks:
            batch.append(chunk)
            if sum(map(len, batch)) >= BATCH:
                await threads.call(data.write, batch)
                batch = []
        digest = await threads.call(data.finish, batch)
        described = describe_object(metadata, [digest], clock())
        await threads.call(files.publish, target, described)
    except BaseException:
        await threads.call(shutil.rmtree, folder, ignore_errors=True)
        raise
    finally:
        await threads.call(data.close)
    return described


def _write(whole: WholeObject, clock: Clock, *, synced: bool) -> ObjectMetadata:
    described = describe_object(whole.metadata, [blake3(whole.content).digest()], clock())
    folder = os.fspath(whole.folder)
    os.mkdir(folder, 0o700)  # noqa: PTH102  pathlib takes longer than the system call
    for name, content in ((DATA, whole.content), (OBJECT_METADATA, described.encode())):
        handle = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            write_all(handle, content, 0)
            if synced:
                os.fdatasync(handle)
        finally:
            os.close(handle)
    return described


def _publish(whole: WholeObject) -> None:
    try:
        os.rename(whole.folder, whole.target)  # noqa: PTH104  as in ``_write``
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise ObjectStoreError(f"object {whole.metadata.key} already exists") from None
        raise


class _Data:
    """The file being written and its running digest."""

    def __init__(self, path: Path, size: int) -> None:
        self._handle = os.open(path, os.O_WRONLY)
        self._size = size
        self._position = 0
        self._digest = blake3()

    def write(self, batch: list[bytes]) -> None:
        length = sum(map(len, batch))
        if self._position + length > self._size:
            raise ValueError(f"more than {self._size} bytes")
        for chunk in batch:
            self._digest.update(chunk)
        write_vector(self._handle, batch, self._position)
        self._position += length

    def finish(self, batch: list[bytes]) -> bytes:
        self.write(batch)
        if self._position != self._size:
            raise ValueError(f"{self._position} of {self._size} bytes")
        os.fdatasync(self._handle)
        return self._digest.digest()

    def close(self) -> None:
        os.close(self._handle)
