"""The tables of sagas, and a saga as those see it who do not run it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.tables import Base, UtcDateTime

RUNNING = "running"
COMPENSATING = "compensating"
SUCCEEDED = "succeeded"
FAILED = "failed"
CANCELLED = "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)

DONE = "done"
COMPENSATED = "compensated"
PASSED_OVER = "passed over"

_DUE = text("due_at IS NOT NULL")
_HELD = text("locked_until IS NOT NULL")


class SagaRow(Base):
    """A piece of work of several steps; see ``saga`` for who may change what."""

    __tablename__ = "sagas"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'compensating', 'succeeded', 'failed', 'cancelled')", name="state"),
        UniqueConstraint("kind", "subject"),
        Index("ix_sagas_due_at", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_sagas_held", "owner", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_sagas_served", "owner", "served_at"),
        Index("ix_sagas_served_long", "owner", "served_long_at"),
        Index("ix_sagas_ended", "kept", "state", "updated_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str] = mapped_column(String(36))
    """What it is about: a file's id, say."""
    owner: Mapped[str] = mapped_column(String(36), default="", server_default="")
    """Whose it is: workers are shared fairly between owners."""
    state: Mapped[str] = mapped_column(String(12))
    step: Mapped[str] = mapped_column(String(50))
    """The step that is to be done, or, while compensating, to be taken back."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How often this step was taken in hand."""
    token: Mapped[int] = mapped_column(Integer, default=0)
    """Grows with every claim and every change from outside; who holds an older one has lost the saga."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker is to take it up; empty once it has ended."""
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_by: Mapped[str | None] = mapped_column(String(100))
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last claimed, but for a long step."""
    served_long_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last claimed for a long step."""
    away_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when something that the step needs has been away; empty once the step came further."""
    outcome: Mapped[str] = mapped_column(String(12), default=FAILED)
    """What it will be once it has been compensated: failed or cancelled."""
    error: Mapped[str | None] = mapped_column(Text)
    """Why it failed: a sentence for its owner."""
    error_code: Mapped[str | None] = mapped_column(String(50))
    """The ``ReasonCode`` of ``error``; empty for sagas that failed before there were codes, or were cancelled."""
    failed_step: Mapped[str | None] = mapped_column(String(50))
    retryable: Mapped[bool] = mapped_column(Boolean, default=False)
    progress: Mapped[int] = mapped_column(Integer, default=0)
    """Of the step, in percent."""
    kept: Mapped[bool] = mapped_column(Boolean, default=False)
    """Ended, and still looked at: it failed and may be tried again."""
    data: Mapped[dict[str, JsonValue]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SagaStepRow(Base):
    """A line of the step log: what was done or taken back, in which attempt, by whom."""

    __tablename__ = "saga_steps"
    __table_args__ = (Index("ix_saga_steps_saga_id", "saga_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    saga_id: Mapped[str] = mapped_column(String(36), ForeignKey("sagas.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(50))
    result: Mapped[str] = mapped_column(String(12))
    attempt: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Saga(NamedTuple):
    """A saga as it was when it was read; the columns have the meanings."""

    id: str
    kind: str
    subject: str
    state: str
    step: str
    attempts: int
    token: int
    outcome: str
    error: str | None
    failed_step: str | None
    retryable: bool
    progress: int
    data: Mapping[str, JsonValue]
    away_since: datetime | None
    error_code: str | None = None


SEEN_COLUMNS = tuple(getattr(SagaRow, name) for name in Saga._fields)
