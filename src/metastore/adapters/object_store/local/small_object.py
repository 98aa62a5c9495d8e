"""Store an object in a single call.

The steps are those of an upload of one part, without the files that only serve to resume it after a restart.
"""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from blake3 import blake3

from metastore.adapters.object_store.local.durable_io import write_vector
from metastore.adapters.object_store.local.layout import DATA
from metastore.adapters.object_store.local.metadata import ObjectMetadata, UploadMetadata, describe_object
from metastore.adapters.object_store.local.part_writer import BATCH
from metastore.adapters.object_store.local.thread_pools import FileThreads
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.kit.clock import Clock


async def write_small_object(
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
