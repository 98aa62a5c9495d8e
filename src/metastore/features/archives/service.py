"""The archives service: the archive of a selection, and its bytes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from metastore.features.archives.events import ArchiveDownloaded
from metastore.features.archives.layout.folders import arrange
from metastore.features.archives.layout.members import Member
from metastore.features.archives.layout.safe_names import FolderNames
from metastore.features.archives.layout.snapshot import (
    MAX_FOLDERS,
    Snapshot,
    SnapshotBuilder,
    file_member,
    require_stored,
    too_large,
)
from metastore.features.archives.schemas import ArchiveOut
from metastore.features.archives.transfer import Transfer
from metastore.features.archives.urls import ArchiveUrls, Selection, moment_of
from metastore.features.auth.schemas import Caller
from metastore.features.files.listing.subtree import (
    FilePages,
    SelectedNode,
    begin_snapshot,
    folders_below,
    outermost,
    still_owned,
)
from metastore.features.files.tree.access import NodeAccess, authorize, authorize_many
from metastore.features.files.tree.rights import Right
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import is_id, new_id


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that can be sent: its file name and what it consists of."""

    name: str
    selection: Selection
    snapshot: Snapshot


class ArchivesService:
    """Makes archives of what its callers may read."""

    def __init__(self, database: Database, urls: ArchiveUrls, transfer: Transfer) -> None:
        self._database = database
        self._urls = urls
        self._transfer = transfer

    async def create(self, caller: Caller, node_ids: Sequence[str]) -> Archive:
        """Return the archive of a selection.

        Raises:
            Problem: 404 if the caller has no access to one of the nodes; 409 ``not-ready`` or ``file-damaged``, with
                the path of the file; 422 ``archive-too-large``.
        """
        async with self._database.reading() as tx:
            accesses = await authorize_all(tx, caller, node_ids)
            nodes = await outermost(tx, [access.node for access in accesses])
            owner_id = accesses[0].owner_id
            snapshot = await _snapshot_of(tx, owner_id, nodes)
        selection = self._urls.select(owner_id, [node.id for node in nodes], snapshot.size)
        return Archive(_name_of(nodes, selection.created_at), selection, snapshot)

    async def open(self, token: str) -> Archive:
        """Return the archive of a signed URL, as its selection is now.

        Raises:
            Problem: 404 if the URL is not valid; 403 ``url-expired``; as for ``create``.
        """
        selection = self._urls.verify(token)
        async with self._database.reading() as tx:
            nodes = await outermost(tx, await still_owned(tx, selection.owner_id, selection.node_ids))
            snapshot = await _snapshot_of(tx, selection.owner_id, nodes)
        return Archive(_name_of(nodes, selection.created_at), selection, snapshot)

    def describe(self, archive: Archive) -> ArchiveOut:
        """Return the archive as the API shows it, with a signed URL."""
        selection = archive.selection
        return ArchiveOut(
            url=self._urls.url(selection),
            name=archive.name,
            size=archive.snapshot.size,
            expires_at=moment_of(selection.expires_at),
        )

    def record_download(self, tx: Transaction, archive: Archive) -> None:
        """Record that a download URL was issued."""
        selection, snapshot = archive.selection, archive.snapshot
        tx.record(
            ArchiveDownloaded(
                archive_id=new_id(),
                owner_id=selection.owner_id,
                name=archive.name,
                size=snapshot.size,
                count=snapshot.count,
                node_ids=selection.node_ids,
            )
        )

    def stream(self, archive: Archive, offset: int, length: int) -> AsyncIterator[bytes]:
        """Yield ``length`` bytes of the archive from ``offset``; see ``Transfer.stream``."""
        return self._transfer.stream(archive.snapshot, offset, offset + length)


async def authorize_all(tx: Transaction, caller: Caller, node_ids: Sequence[str]) -> list[NodeAccess]:
    """Return the proofs for all of the nodes.

    Raises:
        Problem: 404 if the caller has no access to one of them; 403 ``not-permitted`` if it may not be downloaded.
    """
    wanted = list(dict.fromkeys(node_ids))
    found = await authorize_many(tx, caller, wanted) if all(map(is_id, wanted)) else {}
    accesses = [found.get(each) or await authorize(tx, caller, each, Right.DOWNLOAD) for each in wanted]
    for access in accesses:
        access.require(Right.DOWNLOAD)
    return accesses


async def _snapshot_of(tx: Transaction, owner_id: str, nodes: Sequence[SelectedNode]) -> Snapshot:
    await begin_snapshot(tx)
    names = FolderNames()
    named = [(node, names.add(node.name, folder=node.file is None)) for node in nodes]
    tops = [(node.id, name) for node, name in named if node.file is None]
    folders = await folders_below(tx, owner_id, [folder_id for folder_id, _ in tops], limit=MAX_FOLDERS)
    if folders is None:
        raise too_large()
    arranged = arrange(folders, tops)
    builder = SnapshotBuilder(owner_id, arranged)
    for node in nodes:
        builder.note_time(node.updated_at)
    for folder in folders:
        builder.note_time(folder.updated_at)
    members: list[Member] = []
    for node, name in named:
        if node.file is not None:
            require_stored(node.file, name)
            members.append(file_member(node.file, name.encode()))
    builder.add_selected(members)
    pages = FilePages(owner_id, list(arranged))
    while page := await pages.read_next(tx):
        builder.add(*page)
    return builder.finish()


def _name_of(nodes: Sequence[SelectedNode], created_at: int) -> str:
    """Return the name of the archive's file: that of its only item, or one with the time of the selection."""
    if len(nodes) == 1:
        return f"{nodes[0].name}.zip"
    return f"MetaStore {datetime.fromtimestamp(created_at, UTC):%Y-%m-%d %H-%M-%S}.zip"
