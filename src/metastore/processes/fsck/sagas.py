"""Find sagas that no worker will ever claim.

As with events, waiting while nothing runs is not an error. A saga is stuck if the product was active long after the
saga's due time and no worker has a lease on it, or if it has not ended and will never be due. A saga that waits while
others run the same long step is not stuck.
"""

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.saga.models import COMPENSATING, RUNNING, SagaRow
from metastore.processes.fsck.check import Finding, Severity

OVERDUE = timedelta(minutes=10)
"""An unclaimed saga is stuck if the product was active this long after its due time."""
_LONGEST_LEASE = timedelta(days=1)
"""No worker takes a lease for longer than this."""
_PAGE = 200


class SagasCheck:
    """Sagas that no worker claims."""

    def __init__(self, database: Database, clock: Clock, long_steps: Collection[str] = ()) -> None:
        self._database = database
        self._clock = clock
        self._long_steps = long_steps

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of stuck sagas."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                statement = select(SagaRow.id).where(SagaRow.id > after, await self._is_stuck(tx))
                page = list(await tx.session.scalars(statement.order_by(SagaRow.id).limit(_PAGE)))
            if not page:
                return
            for saga_id in page:
                yield saga_id
            after = page[-1]

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            statement = select(SagaRow).where(SagaRow.id == suspect, await self._is_stuck(tx))
            saga = (await tx.session.scalars(statement)).first()
        if saga is None:
            return None
        due = f"due since {saga.due_at:%Y-%m-%d %H:%M:%S} UTC" if saga.due_at else "never due"
        found = f"{saga.kind} of {saga.subject} is {saga.state} at {saga.step}, {due}, after {saga.attempts} attempts"
        return Finding("stuck-saga", Severity.ERROR, suspect, found, "makes it due at once for any worker")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        now = self._clock()
        async with self._database.transaction() as tx:
            stuck = update(SagaRow).where(SagaRow.id == suspect, await self._is_stuck(tx))
            values = {"due_at": now, "locked_until": None, "token": SagaRow.token + 1, "updated_at": now}
            await tx.session.execute(stuck.values(values).execution_options(synchronize_session=False))
        return "due at once for the next worker"

    async def _is_stuck(self, tx: Transaction) -> ColumnElement[bool]:
        now = self._clock()
        active_until = await _last_activity(tx) or now
        free = or_(SagaRow.locked_until.is_(None), SagaRow.locked_until < now)
        never_due = SagaRow.due_at.is_(None) | (SagaRow.locked_until > now + _LONGEST_LEASE)
        overdue = (SagaRow.due_at < active_until - OVERDUE) & free & ~self._waits_for_long_step(now)
        return SagaRow.state.in_((RUNNING, COMPENSATING)) & (never_due | overdue)

    def _waits_for_long_step(self, now: datetime) -> ColumnElement[bool]:
        others = aliased(SagaRow)
        running = exists().where(others.step == SagaRow.step, others.locked_until >= now)
        return SagaRow.step.in_(self._long_steps) & (SagaRow.state == RUNNING) & running


async def _last_activity(tx: Transaction) -> datetime | None:
    recorded = await tx.session.scalar(select(func.max(OutboxEvent.created_at)))
    updated = await tx.session.scalar(select(func.max(SagaRow.updated_at)))
    return max((moment for moment in (recorded, updated) if moment is not None), default=None)
