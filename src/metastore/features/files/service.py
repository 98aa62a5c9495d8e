"""The rules of files and folders: how they come to be, are shown, renamed, moved and published.

Every method works in the caller's transaction ``tx`` and never commits. What changes the tree takes the owner's lock
first, so that what was looked at (a name that is free, a folder that is not below itself) still holds at the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from metastore.features.files import processing, repository, trash, tree
from metastore.features.files.addresses import NO_URLS, Addresses
from metastore.features.files.changes import change
from metastore.features.files.content_type import well_formed
from metastore.features.files.etags import require_match
from metastore.features.files.events import FileDownloaded, FileReady, FileUploaded
from metastore.features.files.models import FILE, FOLDER, PROCESSING, READY, UPLOADING, Node
from metastore.features.files.names import checked_name, name_key
from metastore.features.files.presentation import Tagged, etag_of, join, tagged_file, tagged_folder
from metastore.features.files.schemas import FileOut, FilePatch, FolderIn, FolderOut, FolderPatch
from metastore.features.files.stream_urls import StreamUrls
from metastore.features.files.thumbnails import Thumbnails
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem, not_found, unavailable
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_NAME_TRIES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node lies and what it is called."""

    name: str
    folder_path: str


@dataclass(frozen=True, slots=True)
class Download:
    """What it takes to give out a file's bytes."""

    file_id: str
    owner_id: str
    name: str
    size: int
    mime_type: str
    object_key: str


class FilesService:
    """See the module. ``presign_ttl`` is how many seconds a download URL lives."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        clock: Clock = utc_now,
        presign_ttl: int = 3600,
        streams: StreamUrls | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._presign_ttl = presign_ttl
        self.addresses = Addresses(Thumbnails(store, presign_ttl), streams)

    # Coming in: what the uploads feature calls.

    async def begin_file(
        self, tx: Transaction, owner_id: str, *, path: str, name: str, size: int, mime_type: str, visibility: str
    ) -> Node:
        """Enter a file whose bytes are to come into the folder at ``path``, which is made when missing.

        A name that is taken becomes ``name (1).ext``. ``mime_type`` is what the client claims.

        Raises:
            Problem: 422 ``invalid-name``, ``invalid-path`` or ``path-too-deep``; 409 ``name-taken`` when a file lies
                where ``path`` needs a folder.
        """
        wanted = checked_name(name)
        folder_id, _ = await tree.make_folders(tx, owner_id, path, self._clock)
        # The lock keeps other requests out; the index, and trying again, whatever else may write to the table.
        for _ in range(_NAME_TRIES):
            free = await tree.free_name(tx, owner_id, folder_id, wanted, FILE)
            node = self._new_file(owner_id, folder_id, free, size, well_formed(mime_type), visibility)
            if await repository.add(tx, node):
                return node
        raise unavailable("The name could not be settled.")

    async def finish_file(
        self,
        tx: Transaction,
        node_id: str,
        *,
        object_key: str,
        size: int,
        etag: str,
        checksum: str | None,
        mime_type: str,
        needs_processing: bool = False,
    ) -> FileOut:
        """The bytes are there: UPLOADING becomes READY, wherever the file lies by now, be it in the trash.

        With ``needs_processing`` it becomes PROCESSING instead; the saga of its arrival goes on from there.

        Raises:
            Problem: 404 when the file is gone, or was finished before.
        """
        changes: dict[str, object] = {
            "status": PROCESSING if needs_processing else READY,
            "object_key": object_key,
            "size": size,
            "object_etag": etag,
            "checksum": checksum,
            "mime_type": mime_type,
            "updated_at": self._clock(),
        }
        await repository.lock_owner_of(tx, node_id)
        node = await repository.finish(tx, node_id, changes)
        if node is None:
            raise not_found("file")
        folder_path = await tree.path_of_folder(tx, node.parent_id)
        path = join(folder_path, node.name)
        about = {"file_id": node.id, "owner_id": node.owner_id, "name": node.name, "path": path}
        tx.record(FileUploaded(**about, size=size, mime_type=mime_type, object_key=object_key))
        if not needs_processing:
            tx.record(FileReady(**about, size=size, mime_type=mime_type))
        return (await self._tagged(tx, node, folder_path)).body

    async def discard_file(self, tx: Transaction, node_id: str) -> None:
        """Remove a file that never arrived; one that did, or is gone, is left alone."""
        await repository.lock_owner_of(tx, node_id)
        await repository.discard(tx, node_id)

    async def file_out(self, tx: Transaction, owner_id: str, node_id: str) -> FileOut:
        """The owner's file, wherever it lies.

        Raises:
            Problem: 404.
        """
        node = await tree.owned(tx, owner_id, node_id, FILE)
        return (await self._tagged(tx, node)).body

    async def name_of(self, tx: Transaction, node_id: str) -> str | None:
        """What a node is called; ``None`` when it is gone."""
        return await repository.name_of(tx, node_id)

    async def places_of(self, tx: Transaction, node_ids: Sequence[str]) -> dict[str, Place]:
        """Names and folders of nodes, whoever owns them; those that are gone are left out."""
        ways = await repository.way_to(tx, node_ids)
        return {node_id: Place(way[-1].name, tree.path_along(way[:-1])) for node_id, way in ways.items()}

    # Single files and folders.

    async def get_file(self, tx: Transaction, owner_id: str, file_id: str) -> Tagged[FileOut]:
        """A file that does not lie in the trash.

        Raises:
            Problem: 404, also for a folder's id.
        """
        return await self._tagged(tx, await tree.owned_alive(tx, owner_id, file_id, FILE))

    async def get_folder(self, tx: Transaction, owner_id: str, folder_id: str) -> Tagged[FolderOut]:
        """A folder that does not lie in the trash.

        Raises:
            Problem: 404, also for a file's id.
        """
        node = await tree.owned_alive(tx, owner_id, folder_id, FOLDER)
        return tagged_folder(node, await tree.path_of_folder(tx, node.parent_id))

    async def create_folder(self, tx: Transaction, owner_id: str, wanted: FolderIn) -> Tagged[FolderOut]:
        """Make a folder.

        Raises:
            Problem: 404 when the parent is no folder of the owner's; 409 ``name-taken``; 422 ``invalid-name`` or
                ``path-too-deep``.
        """
        name = checked_name(wanted.name)
        await repository.lock_owner(tx, owner_id)
        way = await tree.room_below(tx, owner_id, wanted.parent_id, 1)
        await tree.require_free(tx, owner_id, wanted.parent_id, name)
        folder = tree.new_folder(owner_id, wanted.parent_id, name, self._clock)
        if not await repository.add(tx, folder):
            raise tree.name_taken(name)
        tree.record_folder(tx, folder)
        return tagged_folder(folder, tree.path_along(way))

    async def change_file(
        self, tx: Transaction, owner_id: str, file_id: str, patch: FilePatch, if_match: str | None = None
    ) -> Tagged[FileOut]:
        """Rename, move or publish a file, all at once or not at all.

        Raises:
            Problem: 404; 409 ``name-taken``; 412 ``stale``; 422 ``invalid-name``.
        """
        node, folder_path = await change(tx, owner_id, file_id, FILE, patch, if_match=if_match, clock=self._clock)
        return await self._tagged(tx, node, folder_path)

    async def change_folder(
        self, tx: Transaction, owner_id: str, folder_id: str, patch: FolderPatch, if_match: str | None = None
    ) -> Tagged[FolderOut]:
        """Rename or move a folder, both or neither.

        Raises:
            Problem: as for files; 409 ``move-into-itself``; 422 ``path-too-deep``.
        """
        node, folder_path = await change(tx, owner_id, folder_id, FOLDER, patch, if_match=if_match, clock=self._clock)
        return tagged_folder(node, folder_path)

    # The trash.

    async def put_in_trash(
        self, tx: Transaction, owner_id: str, node_id: str, kind: str, if_match: str | None = None
    ) -> None:
        """Put a file, or a folder with all below it, in the trash.

        Raises:
            Problem: 404; 412 ``stale``.
        """
        await repository.lock_owner(tx, owner_id)
        node = await tree.owned_alive(tx, owner_id, node_id, kind)
        require_match(if_match, etag_of(node, await tree.path_of_folder(tx, node.parent_id)))
        await trash.put_in(tx, node, self._clock())

    async def restore(self, tx: Transaction, owner_id: str, node_id: str) -> Tagged[FileOut | FolderOut]:
        """Take a file or folder out of the trash; see ``trash.take_out``.

        Raises:
            Problem: 404.
        """
        node = await trash.take_out(tx, owner_id, node_id)
        if node.kind == FILE:
            return await self._tagged(tx, node)
        return tagged_folder(node, await tree.path_of_folder(tx, node.parent_id))

    async def purge_expired_trash(self, tx: Transaction, *, before: datetime, limit: int) -> int:
        """Purge up to ``limit`` files and folders that lie in the trash since before then; returns how many went.

        Fewer than ``limit`` mean that nothing is left to do.
        """
        return await trash.purge_expired(tx, before=before, limit=limit)

    # Bytes going out.

    async def downloadable(self, tx: Transaction, owner_id: str, file_id: str) -> Download:
        """What to give out for a file.

        Raises:
            Problem: 404; 409 ``not-ready`` while its bytes are still coming in, ``file-damaged`` when they are known
                not to be what they were.
        """
        node, object_key = await self.require_stored(tx, owner_id, file_id)
        return Download(node.id, owner_id, node.name, node.size, node.mime_type, object_key)

    async def require_stored(self, tx: Transaction, owner_id: str, file_id: str) -> tuple[Node, str]:
        """Return an owner's file and its object key if its bytes have arrived and are not known to be damaged.

        Raises:
            Problem: 404; 409 ``not-ready`` or ``file-damaged``.
        """
        node = await tree.owned_alive(tx, owner_id, file_id, FILE)
        if node.object_key is None:
            raise Problem(409, "not-ready", "The file has not arrived yet.")
        if node.damage:
            raise Problem(409, "file-damaged", f"The stored bytes cannot be trusted: {node.damage}.")
        return node, node.object_key

    async def download_url(self, download: Download, *, head: bool = False) -> str:
        """A URL to the bytes, or with ``head`` one that answers HEAD.

        Asks the object store: not to be called within a transaction.

        Raises:
            Problem: 503 when the store does not answer.
        """
        try:
            return await self._store.presign_get(
                download.object_key,
                filename=download.name,
                content_type=download.mime_type,
                head=head,
                expires_in=self._presign_ttl,
            )
        except ObjectStoreError as error:
            raise unavailable("The object store does not answer.") from error

    def record_download(self, tx: Transaction, download: Download) -> None:
        """Record that the owner was given a URL."""
        tx.record(
            FileDownloaded(file_id=download.file_id, owner_id=download.owner_id, name=download.name, size=download.size)
        )

    async def retry_processing(self, tx: Transaction, owner_id: str, file_id: str) -> FileOut:
        """Run a failed processing again.

        Raises:
            Problem: 404; 409 ``nothing-to-retry`` when it has not failed, or would fail again.
        """
        return (await self._tagged(tx, await processing.retry(tx, owner_id, file_id))).body

    async def _tagged(self, tx: Transaction, node: Node, folder_path: str | None = None) -> Tagged[FileOut]:
        if folder_path is None:
            folder_path = await tree.path_of_folder(tx, node.parent_id)
        sagas = await processing.sagas_of(tx, [node])
        urls = await self.addresses.of([node])
        return tagged_file(node, folder_path, saga=sagas.get(node.id), urls=urls.get(node.id, NO_URLS))

    def _new_file(
        self, owner_id: str, folder_id: str | None, name: str, size: int, mime_type: str, visibility: str
    ) -> Node:
        now = self._clock()
        return Node(
            id=new_id(),
            owner_id=owner_id,
            parent_id=folder_id,
            kind=FILE,
            name=name,
            name_key=name_key(name),
            size=size,
            mime_type=mime_type,
            status=UPLOADING,
            visibility=visibility,
            created_at=now,
            updated_at=now,
        )
