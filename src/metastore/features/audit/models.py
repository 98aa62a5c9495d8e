"""The table of the audit trail, made append-only by triggers in the database.

The triggers reject ``UPDATE``, ``DELETE`` and, on PostgreSQL, ``TRUNCATE``. Neither a bug nor anyone who has the
product's database credentials can change entries without disabling them. They are created with the table; migrations
reuse ``CREATE_GUARDS`` and ``DROP_GUARDS``.
"""

from collections.abc import Callable
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import DDL, JSON, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, UtcDateTime


class AuditLog(Base):
    """An entry of the audit trail. There are no foreign keys: entries outlive what they refer to."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_audit_logs_occurred_at", "occurred_at", "id"),
        Index("ix_audit_logs_actor", "actor_id", "occurred_at", "id"),
        Index("ix_audit_logs_action", "action", "occurred_at", "id"),
        Index("ix_audit_logs_resource", "resource", "occurred_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36))
    actor_id: Mapped[str | None] = mapped_column(String(36))
    """The user who did it; ``None`` for the system itself and for requests without a session."""
    action: Mapped[str] = mapped_column(String(100))
    """The type of the event."""
    resource: Mapped[str] = mapped_column(String(100))
    """What the action was done to, as ``kind:id``."""
    address: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(128))
    details: Mapped[dict[str, JsonValue]] = mapped_column(JSON)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


CREATE_GUARDS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_logs_no_{verb.lower()} BEFORE {verb} ON audit_logs "
        "BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """CREATE FUNCTION audit_logs_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit_logs is append-only'; END $$""",
        """CREATE TRIGGER audit_logs_no_change BEFORE UPDATE OR DELETE ON audit_logs
        FOR EACH ROW EXECUTE FUNCTION audit_logs_refuse()""",
        """CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
        FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_refuse()""",
    ),
}
"""Statements that create the triggers, by dialect."""

DROP_GUARDS: dict[str, tuple[str, ...]] = {
    "sqlite": ("DROP TRIGGER audit_logs_no_update", "DROP TRIGGER audit_logs_no_delete"),
    "postgresql": (
        "DROP TRIGGER audit_logs_no_truncate ON audit_logs",
        "DROP TRIGGER audit_logs_no_change ON audit_logs",
        "DROP FUNCTION audit_logs_refuse()",
    ),
}
"""Statements that undo ``CREATE_GUARDS``, by dialect."""

_guard: Callable[[str], DDL] = DDL

for _dialect, _statements in CREATE_GUARDS.items():
    for _statement in _statements:
        event.listen(AuditLog.__table__, "after_create", _guard(_statement).execute_if(dialect=_dialect))
