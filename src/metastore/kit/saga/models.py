"""The tables of sagas, and an immutable snapshot of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, PartialIndex, UtcDateTime

RUNNING = "running"
COMPENSATING = "compensating"
SUCCEEDED = "succeeded"
FAILED = "failed"
CANCELLED = "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)

DONE = "done"
COMPENSATED = "compensated"
SKIPPED = "skipped"

_DUE = text("due_at IS NOT NULL")
_HELD = text("locked_until IS NOT NULL")


class SagaRow(Base):
    """A saga; the module ``sagas`` describes who may change what."""

    __tablename__ = "sagas"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'compensating', 'succeeded', 'failed', 'cancelled')", name="state"),
        UniqueConstraint("kind", "subject"),
        PartialIndex("ix_sagas_due_at", "due_at", where=_DUE),
        PartialIndex("ix_sagas_held", "owner", where=_HELD),
        Index("ix_sagas_served", "owner", "served_at"),
        Index("ix_sagas_served_long", "owner", "served_long_at"),
        Index("ix_sagas_ended", "kept", "state", "updated_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str] = mapped_column(String(36))
    """The id of the thing that the saga works on, such as a file."""
    owner: Mapped[str] = mapped_column(String(36), default="", server_default="")
    """The user whose saga it is. Workers share their time fairly between owners."""
    state: Mapped[str] = mapped_column(String(12))
    step: Mapped[str] = mapped_column(String(50))
    """The step to execute, or, while compensating, the step to compensate."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How often a worker has claimed the saga for this step."""
    token: Mapped[int] = mapped_column(Integer, default=0)
    """Incremented by every claim and every change from outside. A worker with an older token has lost the saga."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker may claim it. Null once it has ended."""
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_by: Mapped[str | None] = mapped_column(String(100))
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last claimed for a step that is not long."""
    served_long_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last claimed for a long step."""
    outage_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the current outage of a dependency began. Null once the step has made progress."""
    outcome: Mapped[str] = mapped_column(String(12), default=FAILED)
    """The state after compensation: failed or cancelled."""
    error: Mapped[str | None] = mapped_column(Text)
    """Why it failed, as a sentence for its owner, or why it was cancelled."""
    error_code: Mapped[str | None] = mapped_column(String(50))
    """The ``ReasonCode`` of ``error``. Null for sagas that failed before there were codes, or were cancelled."""
    failed_step: Mapped[str | None] = mapped_column(String(50))
    retryable: Mapped[bool] = mapped_column(Boolean, default=False)
    progress: Mapped[int] = mapped_column(Integer, default=0)
    """The progress of the current step in percent."""
    kept: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether an ended saga is kept because it failed and may be restarted."""
    data: Mapped[dict[str, JsonValue]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SagaStepRow(Base):
    """An entry of the step log: the result of a step or its compensation, with attempt and worker."""

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
    """A snapshot of a ``SagaRow``. The fields are its columns."""

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
    outage_since: datetime | None
    error_code: str | None = None


SAGA_COLUMNS = tuple(getattr(SagaRow, name) for name in Saga._fields)
