"""One user's folders and files, with shorthands for common operations."""

from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import select

from metastore.features.auth.accounts import quota
from metastore.features.auth.schemas import Caller
from metastore.features.files import repository
from metastore.features.files.delivery import Delivery
from metastore.features.files.listing import pages
from metastore.features.files.models import FILE, FOLDER, KEPT, Node
from metastore.features.files.schemas import FileOut, FilePatch, FolderOut, FolderPatch, FolderQuery
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import (
    authorize,
    authorize_change,
    authorize_file,
    authorize_folder,
    authorize_path,
    authorize_place,
    authorize_trashed,
    own_tree,
)
from metastore.features.files.tree.rights import Right
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.ids import new_id
from tests.fixtures.accounts import Storage, signed_in, storage_of
from tests.fixtures.clocks import SettableClock
from tests.fixtures.memory_store import MemoryObjectStore

Item = dict[str, JsonValue]


@dataclass
class OwnerTree:
    """The tree of one owner; every method runs in its own transaction."""

    database: Database
    store: MemoryObjectStore
    clock: SettableClock
    owner: str
    files: FilesService = field(init=False)

    def __post_init__(self) -> None:
        self.files = FilesService(Delivery(self.store, 60), clock=self.clock)

    @property
    def caller(self) -> Caller:
        """The owner, signed in."""
        return signed_in(self.owner)

    async def folder(self, name: str, parent_id: str | None = None) -> FolderOut:
        """Create a folder."""
        async with self.database.transaction() as tx:
            place = await authorize_place(tx, self.caller, parent_id)
            return (await self.files.create_folder(tx, place, name)).body

    async def begin(self, name: str = "a.txt", path: str = "/", size: int = 5) -> Node:
        """Create an UPLOADING file with its quota reserved."""
        async with self.database.transaction() as tx:
            await quota.reserve(tx, self.owner, size)
            return await self.files.create_uploading_file(
                tx, own_tree(self.caller), path=path, name=name, size=size, mime_type="text/plain", visibility="PRIVATE"
            )

    async def finish(self, node: Node) -> FileOut:
        """Complete an UPLOADING file."""
        async with self.database.transaction() as tx:
            await repository.lock_owner(tx, self.owner)
            file = await self.files.complete_file(
                tx,
                node.id,
                object_key=f"files/{node.id}",
                size=node.size,
                etag="abc",
                checksum="sha256:00",
                mime_type="text/plain",
            )
            await quota.use(tx, self.owner, node.size)
            return file

    async def file(self, name: str = "a.txt", path: str = "/", size: int = 5) -> FileOut:
        """Create a READY file."""
        return await self.finish(await self.begin(name, path, size))

    async def get(self, file_id: str) -> FileOut:
        """Return a file."""
        async with self.database.reading() as tx:
            return (await self.files.get_file(tx, await authorize_file(tx, self.caller, file_id, Right.VIEW))).body

    async def get_folder(self, folder_id: str) -> FolderOut:
        """Return a folder."""
        async with self.database.reading() as tx:
            return self.files.get_folder(await authorize(tx, self.caller, folder_id, Right.VIEW, kind=FOLDER)).body

    async def change(self, file_id: str, *, if_match: str | None = None, **changes: object) -> FileOut:
        """Change a file; fields as in the API."""
        patch = FilePatch.model_validate(changes)
        async with self.database.transaction() as tx:
            access = await authorize_change(tx, self.caller, file_id, Right.EDIT, kind=FILE)
            place = await authorize_place(tx, self.caller, patch.parent_id) if patch.moves else None
            return (await self.files.change_file(tx, access, patch, place, if_match)).body

    async def change_folder(self, folder_id: str, **changes: object) -> FolderOut:
        """Change a folder; fields as in the API."""
        patch = FolderPatch.model_validate(changes)
        async with self.database.transaction() as tx:
            access = await authorize_change(tx, self.caller, folder_id, Right.EDIT, kind=FOLDER)
            place = await authorize_place(tx, self.caller, patch.parent_id) if patch.moves else None
            return (await self.files.change_folder(tx, access, patch, place)).body

    async def trash(self, node: FileOut | FolderOut | Node, if_match: str | None = None) -> None:
        """Move a node to the trash."""
        async with self.database.transaction() as tx:
            await self.files.move_to_trash(tx, await authorize_change(tx, self.caller, node.id, Right.DELETE), if_match)

    async def restore(self, node_id: str) -> FileOut | FolderOut:
        """Restore a node from the trash."""
        async with self.database.transaction() as tx:
            return (await self.files.restore(tx, await authorize_trashed(tx, self.caller, node_id))).body

    async def purge(self, node_id: str | None = None) -> None:
        """Purge one trash root, or the whole trash."""
        await self.files.purge(self.database, self.caller, node_id)

    async def page(self, **parameters: object) -> dict[str, JsonValue]:
        """Return a page of a folder; parameters as in the API."""
        query = FolderQuery.model_validate(parameters)
        async with self.database.reading() as tx:
            if query.parent_id is None:
                folder = await authorize_path(tx, self.caller, query.path or "/")
            else:
                folder = await authorize_folder(tx, self.caller, query.parent_id, Right.LIST)
            return await pages.folder_page(tx, folder, query)

    async def trash_page(self, limit: int = 50, cursor: str | None = None) -> dict[str, JsonValue]:
        """Return a page of the trash."""
        async with self.database.reading() as tx:
            return await pages.trash_page(tx, own_tree(self.caller), limit=limit, cursor=cursor)

    async def names(self, **query: object) -> list[str]:
        """Return the names in a folder, in order."""
        return names_in(await self.page(**query))

    async def trashed(self) -> list[str]:
        """Return the names in the trash, in order."""
        return names_in(await self.trash_page())

    async def add_rows(self, count: int, *, trashed: bool = False, **fields: object) -> None:
        """Insert many files directly into the table, live or each as a trash root."""
        now = self.clock()
        async with self.database.transaction() as tx:
            for number in range(count):
                name, node_id = f"bulk {number}", new_id()
                in_trash = {"trash_root_id": node_id, "trash_state": KEPT, "trashed_at": now} if trashed else {}
                values = {
                    "id": node_id,
                    "owner_id": self.owner,
                    "kind": FILE,
                    "name": name,
                    "name_key": name,
                    "created_at": now,
                    "updated_at": now,
                    **in_trash,
                    **fields,
                }
                tx.session.add(Node(**values))

    async def storage(self) -> Storage:
        """Return the owner's storage counters."""
        return await storage_of(self.database, self.owner)

    async def events(self, event_type: str = "") -> list[OutboxEvent]:
        """Return the events recorded so far, in order; of one type or all."""
        async with self.database.reading() as tx:
            statement = select(OutboxEvent).order_by(OutboxEvent.id)
            if event_type:
                statement = statement.where(OutboxEvent.event_type == event_type)
            return list(await tx.session.scalars(statement))

    async def event_types(self) -> list[str]:
        """Return the types of all events recorded so far, in order."""
        return [event.event_type for event in await self.events()]


def items_of(page: dict[str, JsonValue]) -> list[Item]:
    """Return the items of a page."""
    items = page["items"]
    assert isinstance(items, list)
    return [item for item in items if isinstance(item, dict)]


def names_in(page: dict[str, JsonValue]) -> list[str]:
    """Return the names on a page, in order."""
    return [str(item["name"]) for item in items_of(page)]
