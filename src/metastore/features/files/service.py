"""The files service: creating, reading, changing, trashing and downloading files and folders.

Every method works in the caller's transaction ``tx`` and never commits. Methods that change the tree need it locked, so
that what they check (a free name, no cycle) still holds at the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from metastore.features.auth.schemas import Caller
from metastore.features.files import repository
from metastore.features.files.content import processing
from metastore.features.files.content.sniffing import normalize_media_type
from metastore.features.files.delivery import Delivery, Download
from metastore.features.files.events import FileDownloaded, FileReady, FileUploaded
from metastore.features.files.models import FILE, PROCESSING, PURGING, READY, UPLOADING, LocatedNode, Node
from metastore.features.files.repository import Ancestor
from metastore.features.files.representation.etags import require_match
from metastore.features.files.representation.node_urls import NO_URLS, NodeUrlResolver
from metastore.features.files.representation.serialization import (
    WithETag,
    etag_of,
    file_with_etag,
    folder_with_etag,
    join_path,
)
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.schemas import FileOut, FilePatch, FolderOut, FolderPatch
from metastore.features.files.tree import purge
from metastore.features.files.tree.access import FolderAccess, NodeAccess, authorize_trashed
from metastore.features.files.tree.located_nodes import located_nodes
from metastore.features.files.tree.names import name_key, normalize_name
from metastore.features.files.tree.paths import (
    free_name,
    name_taken,
    new_folder,
    path_of,
    path_of_folder,
    place_for_file,
    record_folder_created,
    require_depth,
    require_name_free,
)
from metastore.features.files.tree.placement import NewFile, PlacedFile, place_files
from metastore.features.files.tree.trash import move_to_trash, restore_from_trash
from metastore.features.files.tree.trash_queries import mark_purging
from metastore.features.files.tree.updates import update_node
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem, not_found, unavailable
from metastore.kit.problems.problem_codes import ProblemCode

_NAME_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class NodeLocation:
    """The name of a node and the path of its folder."""

    name: str
    folder_path: str


class FilesService:
    """The rules of files and folders.

    ``node_urls`` resolves the thumbnail and stream URLs of nodes; without ``streams``, nodes have no stream URL.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        clock: Clock = utc_now,
        streams: StreamUrls | None = None,
    ) -> None:
        self._delivery = delivery
        self._clock = clock
        self.node_urls = NodeUrlResolver(delivery, streams)

    # Called by the uploads feature.

    async def create_uploading_file(
        self, tx: Transaction, place: FolderAccess, *, path: str, name: str, size: int, mime_type: str, visibility: str
    ) -> Node:
        """Create an UPLOADING file in the folder at ``path`` of the tree of ``place``, which is created if missing.

        A name that is taken becomes ``name (1).ext``. ``mime_type`` is the type claimed by the client. The owner's lock
        must be held; reserving the file's bytes takes it.

        Raises:
            Problem: 422 ``invalid-name``, ``invalid-path`` or ``path-too-deep``; 409 ``name-taken`` if ``path`` leads
                through a file.
        """
        normalized = normalize_name(name)
        folder_id, free = await place_for_file(tx, place.owner_id, path, normalized, self._clock)
        # The lock excludes other requests. The unique index and the loop guard against any other writer.
        for _ in range(_NAME_ATTEMPTS):
            node = self._new_file(place.owner_id, folder_id, free, size, normalize_media_type(mime_type), visibility)
            if await repository.add(tx, node):
                return node
            free = await free_name(tx, place.owner_id, folder_id, normalized, FILE)
        raise unavailable("No free name was found.")

    async def place_files(
        self, tx: Transaction, place: FolderAccess, files: Sequence[NewFile]
    ) -> list[PlacedFile | Problem]:
        """Create files of stored objects in the tree of ``place``, as ``tree.placement`` describes.

        The owner's lock must be held. Their events are left to ``record_stored``.
        """
        return await place_files(tx, place.owner_id, files, self._clock())

    def record_stored(self, tx: Transaction, owner_id: str, file: PlacedFile, object_key: str) -> None:
        """Record that a file was uploaded and, unless it needs processing, that it is ready."""
        row = file.row
        fields = {"file_id": row.id, "owner_id": owner_id, "name": row.name}
        fields["path"] = join_path(file.folder_path, row.name)
        tx.record(FileUploaded(**fields, size=row.size, mime_type=row.mime_type, object_key=object_key))
        if not file.needs_processing:
            tx.record(FileReady(**fields, size=row.size, mime_type=row.mime_type))

    async def complete_file(
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
        """Change UPLOADING to READY now that the object is stored, even if the file has been trashed meanwhile.

        With ``needs_processing`` the status becomes PROCESSING instead, and the file's saga continues. The owner's lock
        must be held; turning the reservation into use takes it.

        Raises:
            Problem: 404 if the file no longer exists or is not UPLOADING.
        """
        completed = repository.CompletedFile(
            status=PROCESSING if needs_processing else READY,
            object_key=object_key,
            size=size,
            object_etag=etag,
            checksum=checksum,
            mime_type=mime_type,
            updated_at=self._clock(),
        )
        node = await repository.complete(tx, node_id, completed)
        if node is None:
            raise not_found("file")
        folder_path = await path_of_folder(tx, node.parent_id)
        file = {
            "file_id": node.id,
            "owner_id": node.owner_id,
            "name": node.name,
            "path": join_path(folder_path, node.name),
        }
        tx.record(FileUploaded(**file, size=size, mime_type=mime_type, object_key=object_key))
        if not needs_processing:
            tx.record(FileReady(**file, size=size, mime_type=mime_type))
        return (await self._with_etag(tx, node, folder_path)).body

    async def discard_uploading_file(self, tx: Transaction, node_id: str) -> None:
        """Delete the file if it is still UPLOADING."""
        await repository.lock_owner_of(tx, node_id)
        await repository.delete_uploading(tx, node_id)

    async def owned_file(self, tx: Transaction, owner_id: str, node_id: str) -> FileOut:
        """Return the owner's file, in the trash or not.

        Raises:
            Problem: 404.
        """
        for node in await located_nodes(tx, [node_id]):
            if node.owner_id == owner_id and node.kind == FILE and node.trash_state != PURGING:
                return (await self._with_etag(tx, node, node.folder_path)).body
        raise not_found("file")

    async def name_of(self, tx: Transaction, node_id: str) -> str | None:
        """Return a node's name; ``None`` if it no longer exists."""
        return await repository.name_of(tx, node_id)

    async def locations_of(self, tx: Transaction, node_ids: Sequence[str]) -> dict[str, NodeLocation]:
        """Return the locations of those of the nodes that exist, whatever their owners."""
        found = await repository.ancestors_of(tx, node_ids)
        return {node_id: NodeLocation(nodes[-1].name, path_of(nodes[:-1])) for node_id, nodes in found.items()}

    # Files and folders.

    async def get_file(self, tx: Transaction, access: NodeAccess) -> WithETag[FileOut]:
        """Return a file."""
        return await self._with_etag(tx, access.node, access.node.folder_path)

    def get_folder(self, access: NodeAccess) -> WithETag[FolderOut]:
        """Return a folder."""
        return folder_with_etag(access.node, access.node.folder_path)

    async def create_folder(self, tx: Transaction, place: FolderAccess, name: str) -> WithETag[FolderOut]:
        """Create a folder. The proof for its place must have locked the tree.

        Raises:
            Problem: 409 ``name-taken``; 422 ``invalid-name`` or ``path-too-deep``.
        """
        name = normalize_name(name)
        require_depth(place.depth + 1)
        await require_name_free(tx, place.owner_id, place.folder_id, name)
        folder = new_folder(place.owner_id, place.folder_id, name, self._clock)
        if not await repository.add(tx, folder):
            raise name_taken(name)
        record_folder_created(tx, folder)
        return folder_with_etag(folder, place.path)

    async def change_file(
        self,
        tx: Transaction,
        access: NodeAccess,
        patch: FilePatch,
        place: FolderAccess | None = None,
        if_match: str | None = None,
    ) -> WithETag[FileOut]:
        """Rename, move or publish a file; all changes apply or none. The proof must have locked the tree.

        ``place`` is the folder that it moves to, if the patch says so.

        Raises:
            Problem: 409 ``name-taken``; 412 ``stale``; 422 ``invalid-name``.
        """
        node, folder_path = await update_node(
            tx, access.node, patch, _chain(place), if_match=if_match, clock=self._clock
        )
        return await self._with_etag(tx, node, folder_path)

    async def change_folder(
        self,
        tx: Transaction,
        access: NodeAccess,
        patch: FolderPatch,
        place: FolderAccess | None = None,
        if_match: str | None = None,
    ) -> WithETag[FolderOut]:
        """Rename or move a folder, as ``change_file`` does.

        Raises:
            Problem: as for files; 409 ``move-into-itself``; 422 ``path-too-deep``.
        """
        node, folder_path = await update_node(
            tx, access.node, patch, _chain(place), if_match=if_match, clock=self._clock
        )
        return folder_with_etag(node, folder_path)

    # The trash.

    async def move_to_trash(self, tx: Transaction, access: NodeAccess, if_match: str | None = None) -> None:
        """Move a file, or a folder with everything in it, to the trash. The proof must have locked the tree.

        Raises:
            Problem: 412 ``stale``.
        """
        require_match(if_match, etag_of(access.node, access.node.folder_path))
        await move_to_trash(tx, access.node, self._clock())

    async def restore(self, tx: Transaction, access: NodeAccess) -> WithETag[FileOut | FolderOut]:
        """Restore a file or folder from the trash; see ``restore_from_trash``."""
        node = await restore_from_trash(tx, access.node.id)
        if node.kind == FILE:
            return await self._with_etag(tx, node)
        return folder_with_etag(node, await path_of_folder(tx, node.parent_id))

    async def purge(self, database: Database, caller: Caller, node_id: str | None) -> None:
        """Purge one trash root of the caller, or the whole trash. Opens its own transactions.

        Raises:
            Problem: 404 if there is no such trash root.
        """
        async with database.transaction() as tx:
            if node_id is None:
                await purge.start_purge_all(tx, caller.id)
            else:
                await mark_purging(tx, (await authorize_trashed(tx, caller, node_id)).node.id)
        await purge.purge_started(database, caller.id)

    async def purge_expired_trash(self, tx: Transaction, *, before: datetime, limit: int) -> int:
        """Purge up to ``limit`` files and folders that were trashed before ``before``; return their number.

        Fewer than ``limit`` means that none are left.
        """
        return await purge.purge_expired(tx, before=before, limit=limit)

    # Downloads and processing.

    def downloadable(self, access: NodeAccess) -> Download:
        """Return what is needed to download a file.

        Raises:
            Problem: 409 ``not-ready`` while it is UPLOADING, ``file-damaged`` if a check found it damaged.
        """
        node = access.node
        if node.object_key is None:
            raise Problem(409, ProblemCode.NOT_READY, "The file is not completely uploaded yet.")
        if node.damage:
            raise Problem(409, ProblemCode.FILE_DAMAGED, f"The stored bytes are damaged: {node.damage}.")
        return Download(node.id, node.owner_id, node.name, node.size, node.mime_type, node.object_key)

    async def download_url(self, download: Download, *, head: bool = False) -> str:
        """Return an absolute presigned URL for GET, or with ``head`` for HEAD.

        Calls the object store, so it must not run inside a transaction.

        Raises:
            Problem: 503 if the object store is unavailable.
        """
        return await self._delivery.download_url(download, head=head)

    def record_download(self, tx: Transaction, download: Download) -> None:
        """Record that a download URL was issued."""
        tx.record(
            FileDownloaded(file_id=download.file_id, owner_id=download.owner_id, name=download.name, size=download.size)
        )

    async def retry_processing(self, tx: Transaction, access: NodeAccess) -> FileOut:
        """Retry failed processing.

        Raises:
            Problem: 409 ``nothing-to-retry`` if processing has not failed or cannot be retried.
        """
        return (await self._with_etag(tx, await processing.retry(tx, access.node))).body

    async def _with_etag(
        self, tx: Transaction, node: Node | LocatedNode, folder_path: str | None = None
    ) -> WithETag[FileOut]:
        if folder_path is None:
            folder_path = await path_of_folder(tx, node.parent_id)
        sagas = await processing.sagas_of(tx, [node])
        urls = await self.node_urls.resolve([node])
        return file_with_etag(node, folder_path, saga=sagas.get(node.id), urls=urls.get(node.id, NO_URLS))

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


def _chain(place: FolderAccess | None) -> Sequence[Ancestor] | None:
    return None if place is None else place.chain
