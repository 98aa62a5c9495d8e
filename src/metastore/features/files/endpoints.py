"""HTTP endpoints of files, folders and the trash.

``/files/{id}`` accepts only IDs of files, ``/folders/{id}`` only those of folders, ``/trash/{id}`` both. Any other ID
is 404: one of the other kind, an unknown one, another user's, and, outside ``/trash``, one in the trash.
"""

from typing import Annotated, Any, TypedDict, TypeVar

import orjson
from fastapi import Header, Query, Response
from fastapi.responses import RedirectResponse

from metastore.features.auth.access import CurrentUser
from metastore.features.auth.schemas import Caller
from metastore.features.files.listing import pages
from metastore.features.files.models import FILE, FOLDER
from metastore.features.files.representation.serialization import WithETag
from metastore.features.files.schemas import (
    FileOut,
    FilePatch,
    FolderIn,
    FolderListing,
    FolderOut,
    FolderPatch,
    FolderQuery,
    TrashListing,
)
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import (
    FolderAccess,
    authorize,
    authorize_change,
    authorize_file,
    authorize_folder,
    authorize_path,
    authorize_place,
    authorize_trashed,
    own_tree,
)
from metastore.features.files.tree.paths import ROOT
from metastore.features.files.tree.rights import Right
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Limit
from metastore.kit.api.router import PrefixRouter
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.idempotency.route import IdempotentRoute, store_response
from metastore.kit.problems.problem import unless_disk_full

router = PrefixRouter(prefix="/api/v1", tags=["files"], route_class=IdempotentRoute)

Body = TypeVar("Body", bound=FileOut | FolderOut)
Files = Annotated[FilesService, provided(FilesService)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=1000)]


class _Redirecting(TypedDict):
    status_code: int
    response_class: type[Response]
    responses: dict[int | str, dict[str, Any]]


_REDIRECTING: _Redirecting = {
    "status_code": 302,
    "response_class": RedirectResponse,
    "responses": {302: {"description": "Redirect to a presigned URL that supports range requests."}},
}


@router.get("/files", response_model=FolderListing)
async def list_folder(
    caller: CurrentUser, database: Transactions, files: Files, query: Annotated[FolderQuery, Query()]
) -> Response:
    """List a folder given by path or ID, or the root: its folders first, then its files."""
    async with database.reading() as tx:
        folder = (
            await authorize_path(tx, caller, query.path or ROOT)
            if query.parent_id is None
            else await authorize_folder(tx, caller, query.parent_id, Right.LIST)
        )
        page = await pages.folder_page(tx, folder, query, files.node_urls)
    return Response(orjson.dumps(page), media_type="application/json")


@router.get("/files/{file_id}")
async def get_file(
    file_id: str, caller: CurrentUser, database: Transactions, files: Files, response: Response
) -> FileOut:
    """Return a file."""
    async with database.reading() as tx:
        access = await authorize_file(tx, caller, file_id, Right.VIEW)
        return _with_etag(await files.get_file(tx, access), response)


@router.patch("/files/{file_id}")
async def change_file(
    *,
    file_id: str,
    patch: FilePatch,
    caller: CurrentUser,
    database: Transactions,
    files: Files,
    response: Response,
    if_match: IfMatch = None,
) -> FileOut:
    """Rename, move or publish a file; ``parentId: null`` moves it to the root."""
    async with database.transaction() as tx:
        access = await authorize_change(tx, caller, file_id, Right.EDIT, kind=FILE)
        place = await _place(tx, caller, patch)
        return _with_etag(await files.change_file(tx, access, patch, place, if_match), response)


@router.delete("/files/{file_id}", status_code=204)
async def trash_file(
    file_id: str, caller: CurrentUser, database: Transactions, files: Files, if_match: IfMatch = None
) -> None:
    """Move a file to the trash."""
    async with database.transaction() as tx:
        access = await authorize_change(tx, caller, file_id, Right.DELETE, kind=FILE)
        await files.move_to_trash(tx, access, if_match)


@router.get("/files/{file_id}/download", **_REDIRECTING)
async def download(file_id: str, caller: CurrentUser, database: Transactions, files: Files) -> RedirectResponse:
    """Download a file: redirects to a presigned URL."""
    return await _redirect_to_download(file_id, caller, database, files, head=False)


@router.head("/files/{file_id}/download", **_REDIRECTING)
async def download_head(file_id: str, caller: CurrentUser, database: Transactions, files: Files) -> RedirectResponse:
    """Redirect to a presigned URL for a HEAD request on the file's bytes."""
    return await _redirect_to_download(file_id, caller, database, files, head=True)


@router.post("/files/{file_id}/retry")
async def retry_processing(file_id: str, caller: CurrentUser, database: Transactions, files: Files) -> FileOut:
    """Retry failed processing; 409 unless it has failed and can be retried (``processing.retryable``)."""
    async with database.transaction() as tx:
        access = await authorize_file(tx, caller, file_id, Right.EDIT)
        return await store_response(tx, await files.retry_processing(tx, access))


@router.post("/folders", status_code=201)
async def create_folder(
    folder: FolderIn, caller: CurrentUser, database: Transactions, files: Files, response: Response
) -> FolderOut:
    """Create a folder in the root or in the folder ``parentId``."""
    async with database.transaction() as tx:
        place = await authorize_place(tx, caller, folder.parent_id)
        created = _with_etag(await files.create_folder(tx, place, folder.name), response)
        return await store_response(tx, created, status=201, headers=response.headers)


@router.get("/folders/{folder_id}")
async def get_folder(
    folder_id: str, caller: CurrentUser, database: Transactions, files: Files, response: Response
) -> FolderOut:
    """Return a folder, without its contents."""
    async with database.reading() as tx:
        return _with_etag(files.get_folder(await authorize(tx, caller, folder_id, Right.VIEW, kind=FOLDER)), response)


@router.patch("/folders/{folder_id}")
async def change_folder(
    *,
    folder_id: str,
    patch: FolderPatch,
    caller: CurrentUser,
    database: Transactions,
    files: Files,
    response: Response,
    if_match: IfMatch = None,
) -> FolderOut:
    """Rename or move a folder; ``parentId: null`` moves it to the root."""
    async with database.transaction() as tx:
        access = await authorize_change(tx, caller, folder_id, Right.EDIT, kind=FOLDER)
        place = await _place(tx, caller, patch)
        return _with_etag(await files.change_folder(tx, access, patch, place, if_match), response)


@router.delete("/folders/{folder_id}", status_code=204)
async def trash_folder(
    folder_id: str, caller: CurrentUser, database: Transactions, files: Files, if_match: IfMatch = None
) -> None:
    """Move a folder and everything in it to the trash."""
    async with database.transaction() as tx:
        access = await authorize_change(tx, caller, folder_id, Right.DELETE, kind=FOLDER)
        await files.move_to_trash(tx, access, if_match)


@router.get("/trash", response_model=TrashListing)
async def list_trash(
    caller: CurrentUser,
    database: Transactions,
    files: Files,
    limit: Annotated[Limit, Query()] = 50,
    cursor: str | None = None,
) -> Response:
    """List the trash, latest first; a folder represents everything that was trashed with it."""
    async with database.reading() as tx:
        page = await pages.trash_page(tx, own_tree(caller), limit=limit, cursor=cursor, urls=files.node_urls)
    return Response(orjson.dumps(page), media_type="application/json")


@router.post("/trash/{node_id}/restore")
async def restore(
    node_id: str, caller: CurrentUser, database: Transactions, files: Files, response: Response
) -> FileOut | FolderOut:
    """Restore a file or folder to its folder, or to the root if that no longer exists."""
    async with database.transaction() as tx:
        access = await authorize_trashed(tx, caller, node_id)
        restored = _with_etag(await files.restore(tx, access), response)
        return await store_response(tx, restored, headers=response.headers)


@router.delete("/trash/{node_id}", status_code=204)
async def purge_one(node_id: str, caller: CurrentUser, database: Transactions, files: Files) -> None:
    """Permanently delete a file or folder in the trash."""
    await files.purge(database, caller, node_id)


@router.delete("/trash", status_code=204)
async def empty_trash(caller: CurrentUser, database: Transactions, files: Files) -> None:
    """Permanently delete everything in the trash."""
    await files.purge(database, caller, None)


async def _redirect_to_download(
    file_id: str, caller: Caller, database: Database, files: FilesService, *, head: bool
) -> RedirectResponse:
    async with database.reading() as tx:
        file = files.downloadable(await authorize_file(tx, caller, file_id, Right.DOWNLOAD))
    url = await files.download_url(file, head=head)
    with unless_disk_full():  # downloads work all the same; only the event is lost
        async with database.transaction() as tx:
            files.record_download(tx, file)
    return RedirectResponse(url, 302, {"Cache-Control": "no-store"})


async def _place(tx: Transaction, caller: Caller, patch: FolderPatch) -> FolderAccess | None:
    return await authorize_place(tx, caller, patch.parent_id) if patch.moves else None


def _with_etag(tagged: WithETag[Body], response: Response) -> Body:
    response.headers["ETag"] = tagged.etag
    return tagged.body
