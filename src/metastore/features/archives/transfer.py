"""The bytes of an archive: any range of them, from the records of its members and their objects.

Nothing is written to disk. Small files are read a few at a time ahead of the client, because their latency would
add up, most of all on S3; larger ones are streamed. So a transfer holds some megabytes, whatever the archive's size.
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
"""Files up to this many bytes are read ahead."""
_AHEAD = 16
"""How many small files are read ahead."""
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
        ahead: deque[asyncio.Task[bytes] | _Span] = deque()
        computed: dict[StoredBytes, int] = {}
        upcoming = iter(spans)
        try:
            while True:
                while len(ahead) < _AHEAD and (span := next(upcoming, None)):
                    small = span.member.size <= _SMALL
                    ahead.append(asyncio.ensure_future(self._small(span, computed)) if small else span)
                if not ahead:
                    break
                each = ahead.popleft()
                if isinstance(each, asyncio.Task):
                    yield await each
                    continue
                async with aclosing(self._large(each)) as chunks:
                    async for chunk in chunks:
                        yield chunk
        finally:
            tasks = [each for each in ahead if isinstance(each, asyncio.Task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._checksums.keep(computed)

    async def _small(self, span: _Span, computed: dict[StoredBytes, int]) -> bytes:
        crc, (offset, length) = span.member.crc32, span.content
        if crc is None and span.start < span.header:
            content = await self._content(span, 0, span.member.size)
            crc = computed[span.stored] = zlib.crc32(content)
            content = content[offset : offset + length]
        else:
            content = await self._content(span, offset, length)
        return _header(span, crc or 0) + content

    async def _content(self, span: _Span, offset: int, length: int) -> bytes:
        if not length:
            return b""
        return b"".join([chunk async for chunk in self._exactly(span, offset, length)])

    async def _large(self, span: _Span) -> AsyncGenerator[bytes, None]:
        crc = span.member.crc32
        if crc is None and span.start < span.header:
            crc = await self._checksums.compute(span.stored)
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


def _spans(members: Sequence[Member], offset: int, start: int, end: int) -> Iterator[_Span]:
    """Yield the parts of the members, the first of which begins at ``offset``, that are in this range."""
    for member in members:
        header = local_size(member)
        length = header + member.size
        if offset < end and offset + length > start:
            yield _Span(member, header, max(0, start - offset), min(length, end - offset))
        offset += length


def _header(span: _Span, crc32: int) -> bytes:
    return local_header(span.member, crc32)[span.start : span.end] if span.start < span.header else b""
