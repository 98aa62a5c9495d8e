"""Receiving one part: gather, hash and write while more comes in, then make it durable.

From a source that a thread can take from, all of that happens in the thread, in turns, through one batch of memory.
Else the event loop gathers, and at most two batches are in memory for each part: the one being written by a thread and
the one being gathered.
"""

import asyncio
import os
import uuid
from collections.abc import Sequence

from blake3 import blake3

from metastore.adapters.object_store.local.durable import begin_writeback, write_vector
from metastore.adapters.object_store.local.records import PartRecord
from metastore.adapters.object_store.local.upload import Upload
from metastore.ports.object_store import Part
from metastore.ports.served_objects import ByteSource

BATCH = 2**20
"""Bytes gathered before they are hashed and written."""
_TURN = 8 * BATCH
"""Bytes that a thread takes before complete and abort get their turn."""


class LocalPartWriter:
    """A ``PartWriter``; made by ``open``."""

    def __init__(self, upload: Upload, number: int, length: int, side: str | None) -> None:
        self._upload = upload
        self._number = number
        self._length = length
        self._side = side
        self._handle = -1
        self._position = 0
        self._received = 0
        self._digest = blake3()
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._buffer = memoryview(b"")
        self._writing: asyncio.Task[None] | None = None
        self._ended = False

    @classmethod
    async def open(cls, upload: Upload, number: int, length: int) -> "LocalPartWriter":
        """Begin to receive part ``number`` of exactly ``length`` bytes.

        Raises:
            UploadNotFoundError, StoreFullError: as in the port.
        """
        async with upload.step():
            upload.require_open()
            side = None
            if not upload.take_place(number):
                upload.take_side()
                side = uuid.uuid4().hex
            writer = cls(upload, number, length, side)
            try:
                writer._handle, writer._position = await upload.threads.call(
                    upload.files.open_part, number, side, length
                )
            except BaseException:
                writer._leave()
                raise
        return writer

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; see the port."""
        self._received += len(chunk)
        if self._received > self._length:
            raise ValueError(f"part {self._number} has more than {self._length} bytes")
        self._gathered.append(chunk)
        self._gathered_size += len(chunk)
        if self._gathered_size >= BATCH:
            await self._settle()
            batch, self._gathered, self._gathered_size = self._gathered, [], 0
            self._writing = asyncio.create_task(self._write_batch(batch))

    async def take(self, source: ByteSource) -> bool:
        """Take bytes in a thread; see the port."""
        async with self._upload.step():
            self._upload.require_open()
            return await self._upload.receiving.call(self._take_turn, source)

    def _take_turn(self, source: ByteSource) -> bool:
        if not self._buffer:
            self._buffer = memoryview(bytearray(min(BATCH, self._length)))
        stop = min(self._length, self._received + _TURN)
        while self._received < stop:
            filled = self._gathered_size
            room = min(len(self._buffer) - filled, self._length - self._received)
            count = source.read_into(self._buffer[filled : filled + room])
            if not count:
                return False
            self._received += count
            self._gathered_size += count
            if self._gathered_size == len(self._buffer) or self._received == self._length:
                self._hash_and_write([self._buffer[: self._gathered_size]])
                self._gathered_size = 0
        return self._received == self._length

    async def commit(self) -> Part:
        """Make the part durable; see the port. Goes on to its end when the caller is cancelled."""
        if self._received != self._length:
            raise ValueError(f"part {self._number} has {self._received} of {self._length} bytes")
        self._ended = True
        return await asyncio.shield(asyncio.create_task(self._commit()))

    async def _commit(self) -> Part:
        try:
            await self._settle()
            async with self._upload.step():
                self._upload.require_open()
                record, slot = await self._upload.threads.call(self._finish)
                await self._upload.keep(record, slot)
        except BaseException:
            await self._forget()
            raise
        self._leave()
        return Part(record.number, record.etag, record.size)

    async def discard(self) -> None:
        """Forget what was written; see the port."""
        if not self._ended:
            self._ended = True
            await self._forget()

    async def _forget(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        try:
            if self._side:
                path = self._upload.files.side_path(self._side)
                await self._upload.threads.call(path.unlink, missing_ok=True)
        finally:
            self._leave()

    async def _settle(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                self._writing = writing
                raise

    async def _write_batch(self, batch: list[bytes]) -> None:
        async with self._upload.step():
            self._upload.require_open()
            await self._upload.threads.call(self._hash_and_write, batch)

    def _hash_and_write(self, batch: Sequence[bytes | memoryview]) -> None:
        for chunk in batch:
            self._digest.update(chunk)
        write_vector(self._handle, batch, self._position)
        size = sum(map(len, batch))
        begin_writeback(self._handle, self._position, size)
        self._position += size

    def _finish(self) -> tuple[PartRecord, int]:
        self._hash_and_write(self._gathered)
        record = PartRecord(self._number, self._length, self._digest.digest(), self._side)
        return record, self._upload.files.record(record, self._handle)

    def _leave(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._side is None:
            self._upload.leave_place(self._number)
        else:
            self._upload.leave_side()
