"""Storing an object in one go, by the same steps as an upload of one part, without what only a restart would need."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from blake3 import blake3

from metastore.adapters.object_store.local.durable import write_vector
from metastore.adapters.object_store.local.facts import ObjectFacts, UploadFacts, describe_object
from metastore.adapters.object_store.local.layout import DATA
from metastore.adapters.object_store.local.part_writer import BATCH
from metastore.adapters.object_store.local.threads import FileThreads
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.kit.clock import Clock


async def write_small_object(
    folder: Path,
    target: Path,
    facts: UploadFacts,
    chunks: AsyncIterator[bytes],
    threads: FileThreads,
    clock: Clock,
) -> ObjectFacts:
    """Write ``chunks`` to ``folder`` and turn that into the object folder ``target``; after an error nothing is left.

    Raises:
        ValueError: there are more or fewer bytes than ``facts`` says.
    """
    files = await threads.call(UploadFiles.create, folder, facts, 1, resumable=False)
    data = _Data(folder / DATA, facts.size)
    try:
        batch: list[bytes] = []
        async for chunk in chunks:
            batch.append(chunk)
            if sum(map(len, batch)) >= BATCH:
                await threads.call(data.write, batch)
                batch = []
        digest = await threads.call(data.finish, batch)
        described = describe_object(facts, [digest], clock())
        await threads.call(files.become, target, described)
    except BaseException:
        await threads.call(shutil.rmtree, folder, ignore_errors=True)
        raise
    finally:
        await threads.call(data.close)
    return described


class _Data:
    """The file being written, with the digest so far."""

    def __init__(self, path: Path, size: int) -> None:
        self._handle = os.open(path, os.O_WRONLY)
        self._size = size
        self._position = 0
        self._digest = blake3()

    def write(self, batch: list[bytes]) -> None:
        length = sum(map(len, batch))
        if self._position + length > self._size:
            raise ValueError(f"there are more than {self._size} bytes")
        for chunk in batch:
            self._digest.update(chunk)
        write_vector(self._handle, batch, self._position)
        self._position += length

    def finish(self, batch: list[bytes]) -> bytes:
        self.write(batch)
        if self._position != self._size:
            raise ValueError(f"there are {self._position} of {self._size} bytes")
        os.fdatasync(self._handle)
        return self._digest.digest()

    def close(self) -> None:
        os.close(self._handle)
