"""Receive one part: buffer, hash and write the bytes as they arrive, then make the part durable.

If a thread can read from the source, the thread does all of that with a single buffer, and where possible writes it
around the page cache (``direct_io``). Otherwise the event loop fills buffers, and a part uses at most two: one being
filled and one being written by a thread. A part smaller than that is written when it is whole, together with others
that arrive at the same time (``shared_syncs``).
"""

import asyncio
import os
import uuid
from collections.abc import Sequence

from blake3 import blake3

from metastore.adapters.object_store.local.direct_io import AlignedBuffers, write_direct
from metastore.adapters.object_store.local.durable_io import begin_writeback, write_vector
from metastore.adapters.object_store.local.part_log import PartRecord
from metastore.adapters.object_store.local.small_part import SmallPart
from metastore.adapters.object_store.local.upload import Upload
from metastore.ports.object_store import Part
from metastore.ports.served_objects import ByteSource

BATCH = 2**20
"""Bytes buffered before they are hashed and written."""
_READ_LIMIT = 8 * BATCH
"""Bytes that a thread reads before it lets a waiting complete or abort proceed."""
_buffers = AlignedBuffers(BATCH)


class LocalPartWriter:
    """``PartWriter`` of the embedded store; created by ``open``."""

    def __init__(self, upload: Upload, number: int, length: int, side: str | None) -> None:
        self._upload = upload
        self._number = number
        self._length = length
        self._side = side
        self._handle = -1
        self._position = 0
        self._received = 0
        self._digest = blake3()
        self._chunks: list[bytes | memoryview] = []
        self._buffered_size = 0
        self._buffer = memoryview(b"")
        self._writing: asyncio.Task[None] | None = None
        self._ended = False
        self._is_small = side is None and length < BATCH
        """It is written by ``commit``, together with others."""

    @classmethod
    async def open(cls, upload: Upload, number: int, length: int) -> "LocalPartWriter":
        """Start receiving part ``number`` of exactly ``length`` bytes.

        Raises:
            UploadNotFoundError, StoreFullError: as in the port.
        """
        async with upload.access():
            upload.require_open()
            side = None
            if not upload.reserve_in_place(number):
                upload.reserve_side_file()
                side = uuid.uuid4().hex
            writer = cls(upload, number, length, side)
            if writer._is_small:
                return writer
            try:
                writer._handle, writer._position = await upload.threads.call(
                    upload.files.open_part, number, side, length
                )
            except BaseException:
                writer._release()
                raise
        return writer

    async def write(self, chunk: bytes) -> None:
        """Implement ``PartWriter.write``."""
        self._received += len(chunk)
        if self._received > self._length:
            raise ValueError(f"part {self._number} has more than {self._length} bytes")
        self._chunks.append(chunk)
        self._buffered_size += len(chunk)
        if self._buffered_size >= BATCH:
            await self._wait_for_write()
            batch, self._chunks, self._buffered_size = self._chunks, [], 0
            self._writing = asyncio.create_task(self._write_in_thread(batch))

    async def take(self, source: ByteSource) -> bool:
        """Implement ``PartWriter.take`` by reading from ``source`` in a thread."""
        async with self._upload.access():
            self._upload.require_open()
            return await self._upload.receiving.call(self._read_some, source)

    def _read_some(self, source: ByteSource) -> bool:
        if not self._buffer:
            self._buffer = _buffers.take() if self._length >= BATCH else memoryview(bytearray(self._length))
        stop = min(self._length, self._received + _READ_LIMIT)
        while self._received < stop:
            filled = self._buffered_size
            room = min(len(self._buffer) - filled, self._length - self._received)
            count = source.read_into(self._buffer[filled : filled + room])
            if not count:
                return False
            self._received += count
            self._buffered_size += count
            if self._buffered_size == len(self._buffer) or self._received == self._length:
                self._hash_and_write_buffer(self._buffer[: self._buffered_size])
                self._buffered_size = 0
        return self._received == self._length

    async def commit(self) -> Part:
        """Implement ``PartWriter.commit``. The commit completes even if the caller is cancelled."""
        if self._received != self._length:
            raise ValueError(f"part {self._number} has {self._received} of {self._length} bytes")
        self._ended = True
        return await asyncio.shield(asyncio.create_task(self._commit()))

    async def _commit(self) -> Part:
        try:
            await self._wait_for_write()
            async with self._upload.access():
                self._upload.require_open()
                if self._is_small:
                    small = SmallPart(self._upload.files, self._number, self._chunks)
                    await self._upload.syncs.make(small)
                    record, slot = small.record, small.slot
                else:
                    record, slot = await self._upload.threads.call(self._finish)
                await self._upload.add_record(record, slot)
        except BaseException:
            await self._drop()
            raise
        self._release()
        return Part(record.number, record.etag, record.size)

    async def discard(self) -> None:
        """Implement ``PartWriter.discard``."""
        if not self._ended:
            self._ended = True
            await self._drop()

    async def _drop(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        try:
            if self._side:
                path = self._upload.files.side_path(self._side)
                await self._upload.threads.call(path.unlink, missing_ok=True)
        finally:
            self._release()

    async def _wait_for_write(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                self._writing = writing
                raise

    async def _write_in_thread(self, batch: Sequence[bytes | memoryview]) -> None:
        async with self._upload.access():
            self._upload.require_open()
            await self._upload.threads.call(self._hash_and_write, batch)

    def _hash_and_write(self, batch: Sequence[bytes | memoryview]) -> None:
        for chunk in batch:
            self._digest.update(chunk)
        write_vector(self._handle, batch, self._position)
        size = sum(map(len, batch))
        begin_writeback(self._handle, self._position, size)
        self._position += size

    def _hash_and_write_buffer(self, content: memoryview) -> None:
        if self._is_small:
            self._chunks.append(content)
        elif self._length >= BATCH and write_direct(self._handle, content, self._position):
            self._digest.update(content)
            self._position += len(content)
        else:
            self._hash_and_write([content])

    def _finish(self) -> tuple[PartRecord, int]:
        self._hash_and_write(self._chunks)
        record = PartRecord(self._number, self._length, self._digest.digest(), self._side)
        return record, self._upload.files.commit_part(record, self._handle)

    def _release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if len(self._buffer) == BATCH:
            _buffers.release(self._buffer)
            self._buffer = memoryview(b"")
        if self._side is None:
            self._upload.release_in_place(self._number)
        else:
            self._upload.release_side_file()
