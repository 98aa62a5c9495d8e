"""Every SQL statement on the audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.audit.models import AuditLog
from metastore.features.audit.schemas import AuditQuery
from metastore.kit.database import Transaction
from metastore.kit.tables import UtcDateTime

Position = tuple[datetime, str]
"""Where a list goes on: the time and id of the last entry shown."""


async def append(tx: Transaction, entry: AuditLog) -> None:
    """Write an entry down, unless there is one of the same event: told of it again, the trail stays as it is."""
    values = {column.key: getattr(entry, column.key) for column in AuditLog.__table__.columns}
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    await tx.session.execute(insert(AuditLog).values(values).on_conflict_do_nothing(index_elements=["event_id"]))


async def latest(tx: Transaction, wanted: AuditQuery, after: Position | None, limit: int) -> Sequence[AuditLog]:
    """The entries that match, latest first."""
    statement = select(AuditLog).where(*_conditions(wanted))
    if after is not None:
        position = tuple_(literal(after[0], UtcDateTime()), literal(after[1]))
        statement = statement.where(tuple_(AuditLog.occurred_at, AuditLog.id) < position)
    statement = statement.order_by(AuditLog.occurred_at.desc(), AuditLog.id.desc())
    return (await tx.session.scalars(statement.limit(limit))).all()


def _conditions(wanted: AuditQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        conditions.append(AuditLog.actor_id == wanted.actor)
    if wanted.action is not None:
        conditions.append(AuditLog.action == wanted.action)
    if wanted.resource is not None:
        conditions.append(AuditLog.resource == wanted.resource)
    if wanted.since is not None:
        conditions.append(AuditLog.occurred_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditLog.occurred_at < wanted.until)
    return conditions
