"""The audit service: appends every event with its request context, and lists entries. Entries are never changed."""

from datetime import datetime

from metastore.features.audit import repository
from metastore.features.audit.events import AccessRefused
from metastore.features.audit.models import AuditLog
from metastore.features.audit.repository import Position
from metastore.features.audit.schemas import AuditLogOut, AuditQuery
from metastore.kit.api.paging import Page, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import is_id, new_id

_MAX_PATH_LENGTH = 500


class AuditService:
    """Appends to the audit trail and lists it."""

    async def append(self, tx: Transaction, *events: RecordedEvent) -> None:
        """Append the entries for events."""
        await repository.append(tx, [_entry(event) for event in events])

    def record_refused_access(self, tx: Transaction, *, method: str, path: str, code: str) -> None:
        """Record that the current request was refused; the event reaches the audit trail like any other.

        ``path`` is the URL's path without its query; it is truncated to 500 characters. The caller must remove secrets.
        """
        context = current_context()
        user_id = context.actor_id if context else None
        tx.record(AccessRefused(method=method, path=path[:_MAX_PATH_LENGTH], code=code, user_id=user_id))

    async def page(self, tx: Transaction, query: AuditQuery) -> Page[AuditLogOut]:
        """Return a page of the matching entries, latest first.

        Raises:
            Problem: 422 ``invalid-cursor``.
        """
        after = _position_from_cursor(query.cursor) if query.cursor is not None else None
        found = await repository.latest(tx, query, after, query.limit + 1)
        items = found[: query.limit]
        return Page(
            items=[AuditLogOut.model_validate(item) for item in items],
            next_cursor=_cursor_after(items[-1]) if len(found) > query.limit else None,
        )


def _entry(event: RecordedEvent) -> dict[str, object]:
    headers = event.headers
    return {
        "id": new_id(),
        "event_id": event.id,
        "actor_id": headers.get("actorId"),
        "action": event.event_type,
        "resource": event.aggregate,
        "address": _truncate(headers.get("address"), 64),
        "user_agent": _truncate(headers.get("userAgent"), 500),
        "request_id": _truncate(headers.get("requestId"), 128),
        "details": event.payload,
        "occurred_at": event.created_at,
    }


def _truncate(text: str | None, length: int) -> str | None:
    return text[:length] if text else None


def _cursor_after(entry: AuditLog) -> str:
    return encode_cursor([entry.occurred_at.isoformat(), entry.id])


def _position_from_cursor(cursor: str) -> Position:
    moment, entry_id = decode_cursor(cursor, 2)
    try:
        occurred_at = datetime.fromisoformat(str(moment))
    except ValueError:
        occurred_at = None
    if occurred_at is None or occurred_at.tzinfo is None or not isinstance(entry_id, str) or not is_id(entry_id):
        raise invalid_cursor()
    return occurred_at, entry_id
