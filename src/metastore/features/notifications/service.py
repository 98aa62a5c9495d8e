"""The notifications service: stores notifications and sends them to the user's sockets."""

from collections.abc import Mapping

from pydantic import JsonValue

from metastore.features.notifications import repository
from metastore.features.notifications.messages import NotificationType, message_of
from metastore.features.notifications.schemas import NotificationOut, NotificationPage, ReadAllResponse
from metastore.kit.api.paging import decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit
from metastore.kit.ids import is_id, new_id
from metastore.kit.problems.problem import not_found
from metastore.ports.realtime import Realtime

SOCKET_EVENT = "notification"


class NotificationsService:
    """Creates, lists and marks notifications."""

    def __init__(self, realtime: Realtime, clock: Clock) -> None:
        self._realtime = realtime
        self._clock = clock

    async def create_and_dispatch(
        self,
        tx: Transaction,
        *,
        user_id: str,
        event_id: str,
        notification_type: NotificationType,
        payload: Mapping[str, JsonValue],
    ) -> AfterCommit | None:
        """Store a notification and return a function that sends it to the user's sockets after the commit.

        Return ``None`` if the user has a notification for the event already: brokers may redeliver an event after its
        inbox entry has been deleted.
        """
        notification = await repository.insert(
            tx,
            {
                "id": new_id(),
                "user_id": user_id,
                "event_id": event_id,
                "type": notification_type,
                "message": message_of(notification_type, payload),
                "payload": dict(payload),
                "created_at": self._clock(),
            },
        )
        if notification is None:
            return None
        message = NotificationOut.model_validate(notification).model_dump(mode="json", by_alias=True)

        async def dispatch() -> None:
            await self._realtime.emit_to_user(user_id, SOCKET_EVENT, message)

        return dispatch

    async def page(
        self, tx: Transaction, user_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> NotificationPage:
        """Return a page of the user's notifications, latest first.

        Raises:
            Problem: 422 ``invalid-cursor``.
        """
        before = _id_from_cursor(cursor) if cursor is not None else None
        found = await repository.latest(tx, user_id, unread=unread, before=before, limit=limit + 1)
        items = found[:limit]
        return NotificationPage(
            items=[NotificationOut.model_validate(item) for item in items],
            next_cursor=encode_cursor([items[-1].id]) if len(found) > limit else None,
            unread_count=await repository.count_unread(tx, user_id),
        )

    async def read(self, tx: Transaction, user_id: str, notification_id: str) -> NotificationOut:
        """Mark one notification as read; repeating it changes nothing.

        Raises:
            Problem: 404 ``not-found`` if the user has no such notification.
        """
        if not is_id(notification_id):
            raise not_found("notification")
        notification = await repository.mark_read(tx, user_id, notification_id, self._clock())
        if notification is None:
            raise not_found("notification", refused=await repository.exists(tx, notification_id))
        return NotificationOut.model_validate(notification)

    async def read_all(self, tx: Transaction, user_id: str) -> ReadAllResponse:
        """Mark all of the user's notifications as read."""
        return ReadAllResponse(updated=await repository.mark_all_read(tx, user_id, self._clock()))


def _id_from_cursor(cursor: str) -> str:
    (key,) = decode_cursor(cursor, 1)
    if not isinstance(key, str) or not is_id(key):
        raise invalid_cursor()
    return key
