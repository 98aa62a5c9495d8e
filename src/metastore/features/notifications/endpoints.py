"""HTTP endpoints of notifications: ``/api/v1/notifications``."""

from typing import Annotated

from fastapi import Query, Response

from metastore.features.auth.access import CurrentUser
from metastore.features.notifications.schemas import NotificationOut, NotificationPage, ReadAllResponse
from metastore.features.notifications.service import NotificationsService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Limit
from metastore.kit.api.router import PrefixRouter

router = PrefixRouter(prefix="/api/v1/notifications", tags=["notifications"])

Notifications = Annotated[NotificationsService, provided(NotificationsService)]


@router.get("", response_model=NotificationPage)
async def list_notifications(
    caller: CurrentUser,
    notifications: Notifications,
    database: Transactions,
    *,
    unread: bool = False,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """List the caller's notifications, latest first; ``unread=true`` leaves out those already read."""
    async with database.reading() as tx:
        page = await notifications.page(tx, caller.id, unread=unread, limit=limit, cursor=cursor)
    return Response(page.model_dump_json(by_alias=True), media_type="application/json")


@router.post("/read-all")
async def read_all(caller: CurrentUser, notifications: Notifications, database: Transactions) -> ReadAllResponse:
    """Mark every notification as read. No idempotency key is needed: repeating the request is harmless."""
    async with database.transaction() as tx:
        return await notifications.read_all(tx, caller.id)


@router.post("/{notification_id}/read")
async def read(
    notification_id: str, caller: CurrentUser, notifications: Notifications, database: Transactions
) -> NotificationOut:
    """Mark one notification as read."""
    async with database.transaction() as tx:
        return await notifications.read(tx, caller.id, notification_id)
