"""HTTP endpoints of share links for visitors: ``/api/v1/share-links/token/{token}``.

``POST …/access`` gives a grant, by the password if the link has one. Everything below ``…/items`` needs that grant, as
a cookie or as ``Authorization: Bearer``, and finds its file or folder through the link's rights. A folder link shows
the folder as the root of a tree.
"""

from typing import Annotated

import orjson
from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from metastore.features.auth.access import Public
from metastore.features.files.schemas import FileOut, FolderListing, FolderOut
from metastore.features.media.playback.schemas import PreviewOut, StreamOut
from metastore.features.sharing.public.items import ItemsService
from metastore.features.sharing.public.schemas import ItemsQuery, LinkAccess, LinkPassword, SharedLinkOut
from metastore.features.sharing.public.service import VisitsService
from metastore.features.sharing.public.visitors import CurrentVisit, PresentedGrant, VisitorRoute, put_grant
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.router import PrefixRouter

router = PrefixRouter(prefix="/api/v1/share-links/token", tags=["shared"], route_class=VisitorRoute)

Visits = Annotated[VisitsService, provided(VisitsService)]
Items = Annotated[ItemsService, provided(ItemsService)]


@router.get("/{token}")
async def get_shared_link(
    _caller: Public, token: str, grant: PresentedGrant, database: Transactions, visits: Visits
) -> SharedLinkOut:
    """Return what a link leads to; 404 if there is no such link, 410 if it is over. Never counts as an access."""
    async with database.reading() as tx:
        return await visits.describe(tx, token, grant)


@router.post("/{token}/access")
async def open_link(
    _caller: Public,
    token: str,
    grant: PresentedGrant,
    database: Transactions,
    visits: Visits,
    items: Items,
    request: Request,
    given: LinkPassword | None = None,
) -> LinkAccess:
    """Open a link, and count one access unless the visitor holds a valid grant.

    401 ``password-required`` or ``wrong-password``; 410 ``link-expired``, ``link-revoked`` or ``link-used-up``; 429
    after too many wrong passwords.
    """
    visit = await visits.open(database, token, grant, given.password if given else None)
    put_grant(request, visit.grant)
    async with database.reading() as tx:
        return await items.opened(tx, visit)


@router.get("/{token}/items", response_model=FolderListing)
async def list_items(
    visit: CurrentVisit,
    database: Transactions,
    items: Items,
    query: Annotated[ItemsQuery, Query()],
) -> Response:
    """List the shared folder or one below it: its folders first, then its files. A file link lists the file."""
    async with database.reading() as tx:
        page = await items.page(tx, visit, query.as_folder_query())
    return Response(orjson.dumps(page), media_type="application/json")


@router.get("/{token}/items/{item_id}")
async def get_item(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> FileOut | FolderOut:
    """Return a file or folder."""
    async with database.reading() as tx:
        return await items.get(tx, visit, item_id)


@router.get("/{token}/items/{item_id}/download", status_code=302, response_class=RedirectResponse)
async def download_item(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> RedirectResponse:
    """Download a file: redirects to a URL that is valid for seconds; 403 ``download-not-permitted`` under VIEW."""
    return RedirectResponse(await items.download(database, visit, item_id), 302)


@router.head(
    "/{token}/items/{item_id}/download", status_code=302, response_class=RedirectResponse, include_in_schema=False
)
async def download_item_head(
    visit: CurrentVisit, item_id: str, database: Transactions, items: Items
) -> RedirectResponse:
    """Redirect to a URL for a HEAD request on the file's bytes."""
    return RedirectResponse(await items.download(database, visit, item_id, head=True), 302)


@router.get("/{token}/items/{item_id}/content", status_code=302, response_class=RedirectResponse)
async def show_item(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> RedirectResponse:
    """Show a file's own bytes within a page (``url`` of a preview); 403 ``download-not-permitted`` under VIEW."""
    return RedirectResponse(await items.content(database, visit, item_id), 302)


@router.get("/{token}/items/{item_id}/thumbnail", status_code=302, response_class=RedirectResponse)
async def get_thumbnail(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> RedirectResponse:
    """Redirect to a file's thumbnail (``thumbnailUrl`` of an item)."""
    return RedirectResponse(await items.thumbnail(database, visit, item_id), 302)


@router.get("/{token}/items/{item_id}/picture", status_code=302, response_class=RedirectResponse)
async def get_picture(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> RedirectResponse:
    """Redirect to a file's preview image (``pictureUrl`` of a preview, ``poster`` of a stream)."""
    return RedirectResponse(await items.picture(database, visit, item_id), 302)


@router.get("/{token}/items/{item_id}/preview")
async def preview_item(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> PreviewOut:
    """Return what a viewer needs to show a file; ``url`` is null under VIEW."""
    return await items.preview(database, visit, item_id)


@router.get("/{token}/items/{item_id}/stream")
async def stream_item(visit: CurrentVisit, item_id: str, database: Transactions, items: Items) -> StreamOut:
    """Return where to stream a file from; 409 while it is not playable."""
    return await items.stream(database, visit, item_id)
