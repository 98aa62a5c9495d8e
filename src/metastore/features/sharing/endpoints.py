"""HTTP endpoints of share links for their owners: ``/api/v1/share-links``. Those for visitors are in ``public``."""

from typing import Annotated

from fastapi import Query, Response

from metastore.features.auth.access import CurrentUser
from metastore.features.files.tree.access import authorize, authorize_change
from metastore.features.files.tree.rights import Right
from metastore.features.sharing.schemas import LinkAccessPage, LinkIn, LinkOut, LinkPage, LinkPatch
from metastore.features.sharing.service import SharingService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Limit
from metastore.kit.api.router import PrefixRouter
from metastore.kit.idempotency.route import IdempotentRoute, resumable

router = PrefixRouter(prefix="/api/v1/share-links", tags=["sharing"], route_class=IdempotentRoute)

Sharing = Annotated[SharingService, provided(SharingService)]
Cursor = Annotated[str | None, Query(max_length=1000)]


@router.post("", status_code=201)
@resumable
async def create_link(link: LinkIn, caller: CurrentUser, database: Transactions, sharing: Sharing) -> LinkOut:
    """Create a share link to a file or folder of the caller's."""
    async with database.reading() as tx:
        await authorize(tx, caller, link.resource_id, Right.SHARE)
    prepared = await sharing.prepare(link)
    async with database.transaction() as tx:
        access = await authorize_change(tx, caller, link.resource_id, Right.SHARE)
        return await sharing.create(tx, caller, access, prepared)


@router.get("", response_model=LinkPage)
async def list_links(
    caller: CurrentUser,
    database: Transactions,
    sharing: Sharing,
    resource_id: Annotated[str | None, Query(alias="resourceId")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List the caller's share links, or those to one file or folder, latest first; revoked ones too."""
    async with database.reading() as tx:
        page = await sharing.page(tx, caller, resource_id=resource_id, limit=limit, cursor=cursor)
    return Response(page.model_dump_json(by_alias=True), media_type="application/json")


@router.get("/{link_id}")
async def get_link(link_id: str, caller: CurrentUser, database: Transactions, sharing: Sharing) -> LinkOut:
    """Return a share link."""
    async with database.reading() as tx:
        return await sharing.get(tx, caller, link_id)


@router.patch("/{link_id}")
async def change_link(
    link_id: str, patch: LinkPatch, caller: CurrentUser, database: Transactions, sharing: Sharing
) -> LinkOut:
    """Change a share link. Except for a new label, visitors have to open it again; 410 if it is revoked."""
    prepared = await sharing.prepare(patch)
    async with database.transaction() as tx:
        return await sharing.change(tx, caller, link_id, prepared)


@router.delete("/{link_id}", status_code=204)
async def revoke_link(link_id: str, caller: CurrentUser, database: Transactions, sharing: Sharing) -> None:
    """Revoke a share link for good. Repeating this changes nothing."""
    async with database.transaction() as tx:
        await sharing.revoke(tx, caller, link_id)


@router.post("/{link_id}/rotate")
@resumable
async def rotate_link(link_id: str, caller: CurrentUser, database: Transactions, sharing: Sharing) -> LinkOut:
    """Give a share link a new token; the old one opens nothing any more. 410 if the link is revoked."""
    async with database.transaction() as tx:
        return await sharing.rotate(tx, caller, link_id)


@router.get("/{link_id}/accesses", response_model=LinkAccessPage)
async def list_accesses(
    link_id: str,
    caller: CurrentUser,
    database: Transactions,
    sharing: Sharing,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List what visitors of a share link did, latest first."""
    async with database.reading() as tx:
        page = await sharing.accesses(tx, caller, link_id, limit=limit, cursor=cursor)
    return Response(page.model_dump_json(by_alias=True), media_type="application/json")
