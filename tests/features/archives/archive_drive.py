"""One owner's files and folders, and archives of them, without HTTP."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, update

from metastore.features.archives.checksums import Checksums
from metastore.features.archives.service import Archive, ArchivesService
from metastore.features.archives.transfer import Transfer
from metastore.features.archives.urls import ArchiveUrls
from metastore.features.files.models import FILE, FOLDER, READY, UPLOADING, Node
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from tests.fixtures.accounts import signed_in
from tests.fixtures.clocks import SettableClock
from tests.fixtures.memory_store import MemoryObjectStore


@dataclass
class ArchiveDrive:
    """Rows are inserted directly, so that names and sizes can be anything that a table can hold."""

    database: Database
    owner: str
    store: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        self.checksums = Checksums(self.database, self.store)
        self.transfer = Transfer(self.database, self.store, self.checksums)
        self.archives = ArchivesService(self.database, ArchiveUrls(b"k" * 32, 60, self.clock), self.transfer)

    async def folder(self, name: str, parent: str | None = None, *, owner: str = "") -> str:
        """Add a folder and return its ID."""
        return await self._add(kind=FOLDER, name=name, parent_id=parent, owner_id=owner or self.owner)

    async def file(self, name: str, content: bytes = b"hello", parent: str | None = None, **columns: object) -> str:
        """Add a file whose CRC-32 is not known, and return its ID."""
        key = f"files/{new_id()}"
        self.store.objects[key] = content
        values = {"kind": FILE, "size": len(content), "object_key": key, "parent_id": parent, "owner_id": self.owner}
        return await self._add(**{**values, "name": name, **columns})

    async def uploading(self, name: str, parent: str | None = None) -> str:
        """Add a file that is being uploaded."""
        return await self.file(name, parent=parent, status=UPLOADING, object_key=None)

    async def files(self, names: Sequence[str], parent: str | None = None) -> None:
        """Add many files with a few different bytes each."""
        now, rows = self.clock.now, []
        for number, name in enumerate(names):
            key = f"files/{new_id()}"
            self.store.objects[key] = content = f"{number}:{name}".encode()
            columns = {"kind": FILE, "size": len(content), "object_key": key, "parent_id": parent}
            rows.append(_row(name=name, owner_id=self.owner, created_at=now, updated_at=now, **columns))
        async with self.database.transaction() as tx:
            tx.session.add_all(rows)

    async def change(self, node_id: str, **columns: object) -> None:
        """Change columns of a node."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(Node).where(Node.id == node_id).values(**columns))

    async def crc_of(self, file_id: str) -> int | None:
        """Return the CRC-32 that is kept for a file."""
        async with self.database.reading() as tx:
            return await tx.session.scalar(select(Node.crc32).where(Node.id == file_id))

    async def archive(self, *ids: str) -> Archive:
        """Return the archive of a selection."""
        return await self.archives.create(signed_in(self.owner), ids)

    async def read(self, archive: Archive, start: int = 0, end: int | None = None) -> bytes:
        """Return a part of an archive."""
        length = (archive.snapshot.size if end is None else end) - start
        return b"".join([chunk async for chunk in self.archives.stream(archive, start, length)])

    async def zip_of(self, *ids: str) -> zipfile.ZipFile:
        """Return the archive of a selection, whose length and checksums are verified."""
        archive = await self.archive(*ids)
        content = await self.read(archive)
        assert len(content) == archive.snapshot.size
        opened = zipfile.ZipFile(io.BytesIO(content))
        assert opened.testzip() is None
        return opened

    async def _add(self, **columns: object) -> str:
        self.clock.now += timedelta(seconds=3)
        row = _row(**{"created_at": self.clock.now, "updated_at": self.clock.now, **columns})
        async with self.database.transaction() as tx:
            tx.session.add(row)
        return row.id


def _row(**columns: object) -> Node:
    return Node(**{"id": new_id(), "name_key": "", "status": READY, **columns})
