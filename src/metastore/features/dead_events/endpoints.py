"""HTTP endpoints of dead events, for admins: ``/api/v1/admin/events/dead``."""

from typing import Annotated

from fastapi import Query

from metastore.features.auth.access import AdminUser
from metastore.features.dead_events.schemas import DeadEventOut
from metastore.features.dead_events.service import DeadEventsService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Limit, Page
from metastore.kit.api.router import PrefixRouter
from metastore.kit.idempotency.checkpoints import checkpoint, save_checkpoint
from metastore.kit.idempotency.route import IdempotentRoute, store_response

router = PrefixRouter(prefix="/api/v1/admin/events/dead", tags=["admin"], route_class=IdempotentRoute)

DeadEvents = Annotated[DeadEventsService, provided(DeadEventsService)]
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_dead_events(
    _caller: AdminUser,
    dead_events: DeadEvents,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Cursor | None = None,
) -> Page[DeadEventOut]:
    """List events that a consumer failed on too often, latest first.

    On RabbitMQ, only the 2,000 oldest dead events of each consumer are listed.
    """
    return await dead_events.page(limit=limit, cursor=cursor)


@router.post("/{dead_id}/redeliver", status_code=204)
async def redeliver(dead_id: str, _caller: AdminUser, dead_events: DeadEvents, database: Transactions) -> None:
    """Redeliver a dead event to the consumer that failed on it."""
    earlier = checkpoint()
    if earlier is None:
        async with database.transaction() as tx:
            await save_checkpoint(tx, dead_id)
    await dead_events.redeliver(dead_id, maybe_done=earlier is not None)
    async with database.transaction() as tx:
        dead_events.record_redelivery(tx, dead_id)
        await store_response(tx, None, status=204)
