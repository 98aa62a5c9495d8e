"""SQL statements on the audit trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, literal, select, tuple_

from metastore.features.audit.models import AuditLog
from metastore.features.audit.schemas import AuditQuery
from metastore.kit.database.command import Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.tables import UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction

Position = tuple[datetime, str]
"""The time and ID of the last entry of the previous page."""


_APPEND = RowInsert(
    Nothing,
    lambda dialect: insert_into(table_of(AuditLog), dialect).on_conflict_do_nothing(index_elements=["event_id"]),
)


async def append(tx: Transaction, entries: Sequence[Mapping[str, object]]) -> None:
    """Insert entries, except for events that have one already, as happens if an event is redelivered."""
    await tx.execute_all(_APPEND, entries)


async def latest(tx: Transaction, query: AuditQuery, after: Position | None, limit: int) -> Sequence[AuditLog]:
    """Return the matching entries, latest first."""
    statement = select(AuditLog).where(*_conditions(query))
    if after is not None:
        position = tuple_(literal(after[0], UtcDateTime()), literal(after[1]))
        statement = statement.where(tuple_(AuditLog.occurred_at, AuditLog.id) < position)
    statement = statement.order_by(AuditLog.occurred_at.desc(), AuditLog.id.desc())
    return (await tx.session.scalars(statement.limit(limit))).all()


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.actor is not None:
        conditions.append(AuditLog.actor_id == query.actor)
    if query.action is not None:
        conditions.append(AuditLog.action == query.action)
    if query.resource is not None:
        conditions.append(AuditLog.resource == query.resource)
    if query.since is not None:
        conditions.append(AuditLog.occurred_at >= query.since)
    if query.until is not None:
        conditions.append(AuditLog.occurred_at < query.until)
    return conditions
