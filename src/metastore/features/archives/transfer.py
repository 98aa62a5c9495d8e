"""The bytes of an archive: any range of them, from the records of its members and their objects.

Nothing is written to disk. Small files are read in batches ahead of the client, because their latency would add up,
most of all on S3; larger ones are streamed. So a transfer holds some megabytes, whatever the archive's size.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from metastore.features.archives.checksums import Checksums
from metastore.features.archives.layout.members import Member
from metastore.features.archives.layout.snapshot import Snapshot, SnapshotPage
from metastore.features.archives.layout.zip_format import directory_entry, local_header, local_size
from metastore.features.files.content.crcs import StoredBytes
from metastore.features.files.listing.subtree import read_page
from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import DamagedObjectError, ObjectStore

_SMALL = 2**18
"""Files up to this many bytes are read whole, several together."""
_BATCH_FILES, _BATCH_BYTES = 64, 2**20
"""How many small files, and about how many bytes of them, are read together."""
_AHEAD = 3
"""How many batches of small files, or large files, are waited for at once."""
_CHUNK = 2**18
"""Bytes that are at least sent at once, except at the end."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The bytes ``start`` to ``end`` of a member, counted from its local header, which has ``header`` bytes."""

    member: Member
    header: int
    start: int
    end: int

    @property
    def content(self) -> tuple[int, int]:
        """The offset and the length of its part of the object."""
        first = max(0, self.start - self.header)
        return first, max(0, self.end - self.header - first)

    @property
    def stored(self) -> StoredBytes:
        """The file's bytes."""
        return StoredBytes(self.member.file_id, self.member.object_key, self.member.size)


class Transfer:
    """Sends archives."""

    def __init__(self, database: Database, store: ObjectStore, checksums: Checksums) -> None:
        self._database = database
        self._store = store
        self._checksums = checksums

    async def stream(self, snapshot: Snapshot, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes ``start`` to ``end`` of the archive.

        Raises:
            ArchiveChangedError: the rest of the archive has changed since the snapshot.
            ObjectStoreError: an object is gone or damaged, or the store is unavailable.
            Problem: 503 if the database is unavailable.
        """
        waiting, size = [], 0
        async with aclosing(self._chunks(snapshot, start, end)) as chunks:
            async for chunk in chunks:
                waiting.append(chunk)
                size += len(chunk)
                if size >= _CHUNK:
                    yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
                    waiting, size = [], 0
        if waiting:
            yield b"".join(waiting)

    async def _chunks(self, snapshot: Snapshot, start: int, end: int) -> AsyncGenerator[bytes, None]:
        for page in snapshot.pages_of_data(start, min(end, snapshot.data_size)):
            members = await self._members(snapshot, page)
            async with aclosing(self._read(list(_spans(members, page.offset, start, end)))) as chunks:
                async for chunk in chunks:
                    yield chunk
        first, last = start - snapshot.data_size, end - snapshot.data_size
        for page in snapshot.pages_of_directory(first, min(last, snapshot.directory_size)):
            entries = await self._entries(snapshot, page)
            yield entries[max(0, first - page.directory_offset) : max(0, last - page.directory_offset)]
        first, last = first - snapshot.directory_size, last - snapshot.directory_size
        yield snapshot.end[max(0, first) : max(0, last)]

    async def _members(self, snapshot: Snapshot, page: SnapshotPage) -> list[Member]:
        members = page.members
        if members is None:
            async with self._database.reading() as tx:
                files = await read_page(tx, snapshot.owner_id, page.files)
            members = snapshot.members_again(page, files)
        known = await self._checksums.known([member.file_id for member in members if member.crc32 is None])
        return [
            member._replace(crc32=known.get(member.file_id)) if member.crc32 is None else member for member in members
        ]

    async def _entries(self, snapshot: Snapshot, page: SnapshotPage) -> bytes:
        members = await self._members(snapshot, page)
        missing = [_Span(member, 0, 0, member.size) for member in members if member.crc32 is None]
        computed = {span.member.file_id: await self._checksums.compute(span.stored) for span in missing}
        entries, offset = [], page.offset
        for member in members:
            crc = computed[member.file_id] if member.crc32 is None else member.crc32
            entries.append(directory_entry(member, crc, offset))
            offset += local_size(member) + member.size
        return b"".join(entries)

    async def _read(self, spans: Sequence[_Span]) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the spans in order, reading small ones ahead. Keep what CRC-32 was missing."""
        ahead: deque[asyncio.Task[bytes] | tuple[_Span, asyncio.Task[int] | None]] = deque()
        computed: dict[StoredBytes, int] = {}
        upcoming = _batches(spans)
        try:
            while True:
                while len(ahead) < _AHEAD and (each := next(upcoming, None)):
                    ahead.append(
                        (each, self._computing(each)) if isinstance(each, _Span) else self._reading(each, computed)
                    )
                if not ahead:
                    break
                first = ahead.popleft()
                if isinstance(first, asyncio.Task):
                    yield await first
                    continue
                async with aclosing(self._large(*first)) as chunks:
                    async for chunk in chunks:
                        yield chunk
        finally:
            tasks = [each if isinstance(each, asyncio.Task) else each[1] for each in ahead]
            await _end([task for task in tasks if task is not None])
            await self._checksums.keep(computed)

    def _reading(self, spans: Sequence[_Span], computed: dict[StoredBytes, int]) -> asyncio.Task[bytes]:
        return asyncio.create_task(self._small(spans, computed), name="read small files ahead")

    def _computing(self, span: _Span) -> asyncio.Task[int] | None:
        """Start to compute the CRC-32 of a large member if it is needed, while those before it are sent."""
        if span.member.crc32 is not None or span.start >= span.header:
            return None
        return asyncio.create_task(self._checksums.compute(span.stored), name="wait for a CRC-32")

    async def _small(self, spans: Sequence[_Span], computed: dict[StoredBytes, int]) -> bytes:
        """Return the bytes of small members, whose objects are read together and whole."""
        keys = [span.member.object_key for span in spans if span.member.size]
        contents = iter(await self._store.read_all(keys) if keys else ())
        pieces = []
        for span in spans:
            member, content = span.member, next(contents) if span.member.size else b""
            if len(content) != member.size:
                raise DamagedObjectError(f"{member.object_key} has {len(content)} bytes instead of {member.size}")
            crc = member.crc32
            if crc is None:
                crc = computed[span.stored] = zlib.crc32(content)
            offset, length = span.content
            pieces += [_header(span, crc), content[offset : offset + length]]
        return b"".join(pieces)

    async def _large(self, span: _Span, computing: asyncio.Task[int] | None) -> AsyncGenerator[bytes, None]:
        crc = await computing if computing else span.member.crc32
        yield _header(span, crc or 0)
        async with aclosing(self._exactly(span, *span.content)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _exactly(self, span: _Span, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """Yield a part of the member's object, which must have it."""
        missing = length
        async for chunk in self._store.read(span.member.object_key, offset=offset, length=length):
            missing -= len(chunk)
            yield chunk
        if missing:
            raise DamagedObjectError(f"{span.member.object_key} has {missing} bytes less than expected")


async def _end(tasks: Sequence[asyncio.Task[bytes] | asyncio.Task[int]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _spans(members: Sequence[Member], offset: int, start: int, end: int) -> Iterator[_Span]:
    """Yield the parts of the members, the first of which begins at ``offset``, that are in this range."""
    for member in members:
        header = local_size(member)
        length = header + member.size
        if offset < end and offset + length > start:
            yield _Span(member, header, max(0, start - offset), min(length, end - offset))
        offset += length


def _batches(spans: Sequence[_Span]) -> Iterator[_Span | list[_Span]]:
    """Yield large members as they are, and small ones in batches."""
    batch: list[_Span] = []
    size = 0
    for span in spans:
        large = span.member.size > _SMALL
        if batch and (large or len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        if large:
            yield span
            continue
        batch.append(span)
        size += span.member.size
    if batch:
        yield batch


def _header(span: _Span, crc32: int) -> bytes:
    return local_header(span.member, crc32)[span.start : span.end] if span.start < span.header else b""
