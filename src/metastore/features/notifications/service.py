"""The notifications service: stores notifications and sends them to the user's sockets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Notice:
    """What a user is to be notified of, and by which event."""

    user_id: str
    event_id: str
    type: NotificationType
    payload: Mapping[str, JsonValue]


class NotificationsService:
    """Creates, lists and marks notifications."""

    def __init__(self, realtime: Realtime, clock: Clock) -> None:
        self._realtime = realtime
        self._clock = clock

    async def create(self, tx: Transaction, notices: Sequence[Notice]) -> list[AfterCommit]:
        """Store notifications and return functions that send them to the users' sockets after the commit.

        A user who has a notification for the event already gets no other: brokers may redeliver an event after its
        inbox entry has been deleted.
        """
        rows = [self._row(notice) for notice in notices]
        inserted = await repository.insert(tx, rows)
        return [self._dispatch_of(row) for row in rows if row["id"] in inserted]

    def _row(self, notice: Notice) -> dict[str, object]:
        return {
            "id": new_id(),
            "user_id": notice.user_id,
            "event_id": notice.event_id,
            "type": notice.type,
            "message": message_of(notice.type, notice.payload),
            "payload": dict(notice.payload),
            "read_at": None,
            "created_at": self._clock(),
        }

    def _dispatch_of(self, row: Mapping[str, object]) -> AfterCommit:
        async def dispatch() -> None:
            message = NotificationOut.model_validate(row).model_dump(mode="json", by_alias=True)
            await self._realtime.emit_to_user(message["userId"], SOCKET_EVENT, message)

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
