"""Find and create files and folders on the server by their paths."""

import re
from collections.abc import AsyncIterator

from metastore.client.api import Api
from metastore.client.errors import RefusedError, TransferError
from metastore.client.responses import Listing, RemoteFile, RemoteFolder, UnfinishedUpload, UnfinishedUploads
from metastore.client.sources import normal_folder

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PAGE = 200


async def find(api: Api, place: str) -> RemoteFile | RemoteFolder | None:
    """Return the file or folder at ``place``, an id or a path; ``None`` for the root.

    Raises:
        TransferError: there is none.
    """
    if _ID.fullmatch(place):
        return await _by_id(api, place)
    path = normal_folder(place)
    if path == "/":
        return None
    try:
        return (await api.get(Listing, "/api/v1/files", path=path, limit=1)).folder
    except RefusedError as error:
        if error.status != 404:
            raise
    parent, _, name = path.rpartition("/")
    async for item in children(api, path=parent or "/"):
        if item.name == name:
            return item
    raise TransferError("There is no such file or folder on the server")


async def children(
    api: Api, *, path: str | None = None, parent_id: str | None = None
) -> AsyncIterator[RemoteFile | RemoteFolder]:
    """Yield the files and folders in a folder, given by path or id."""
    cursor: str | None = None
    while True:
        page = await api.get(Listing, "/api/v1/files", path=path, parentId=parent_id, limit=_PAGE, cursor=cursor)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return


async def create_folder(api: Api, path: str) -> None:
    """Create the folder ``path`` and its parents, if missing."""
    parent: str | None = None
    prefix = ""
    for name in path.strip("/").split("/"):
        prefix += f"/{name}"
        try:
            found = (await api.get(Listing, "/api/v1/files", path=prefix, limit=1)).folder
        except RefusedError as error:
            if error.status != 404:
                raise
            found = await api.post(RemoteFolder, "/api/v1/folders", {"name": name, "parentId": parent})
        parent = found.id if found else None


async def unfinished_uploads(api: Api) -> AsyncIterator[UnfinishedUpload]:
    """Yield the user's unfinished uploads, latest first."""
    cursor: str | None = None
    while True:
        page = await api.get(UnfinishedUploads, "/api/v1/files/chunked-upload", limit=_PAGE, cursor=cursor)
        for upload in page.items:
            yield upload
        cursor = page.next_cursor
        if cursor is None:
            return


async def _by_id(api: Api, place: str) -> RemoteFile | RemoteFolder | None:
    try:
        return await api.get(RemoteFile, f"/api/v1/files/{place}")
    except RefusedError as error:
        if error.status != 404:
            raise
    try:
        return (await api.get(Listing, "/api/v1/files", parentId=place, limit=1)).folder
    except RefusedError as error:
        if error.status != 404:
            raise
    raise TransferError("There is no such file or folder on the server")
