"""Every saga under way: will a runner ever take it up?

As with facts, waiting while nothing runs is no fault: a saga is stuck when the product has been at work for long after
it was due, and nobody holds it, or when it has neither ended nor a time to be taken up at. One that waits for its turn
at a long step, while others are at theirs, is not stuck.
"""

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from metastore.kit.clock import Clock
from metastore.kit.database import Database, Transaction
from metastore.kit.outbox import OutboxEvent
from metastore.kit.saga_models import COMPENSATING, RUNNING, SagaRow
from metastore.processes.fsck.check import Finding, Severity

OVERDUE = timedelta(minutes=10)
_LONGEST_LEASE = timedelta(days=1)
_PAGE = 200


class SagasCheck:
    """Sagas that nobody carries on."""

    def __init__(self, database: Database, clock: Clock, long_steps: Collection[str] = ()) -> None:
        self._database = database
        self._clock = clock
        self._long_steps = long_steps

    async def suspects(self) -> AsyncIterator[str]:
        """Their ids."""
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
        """See ``Check``."""
        async with self._database.reading() as tx:
            statement = select(SagaRow).where(SagaRow.id == suspect, await self._is_stuck(tx))
            saga = (await tx.session.scalars(statement)).first()
        if saga is None:
            return None
        due = f"due since {saga.due_at:%Y-%m-%d %H:%M:%S} UTC" if saga.due_at else "never due"
        found = f"{saga.kind} of {saga.subject} is {saga.state} at {saga.step}, {due}, after {saga.attempts} tries"
        return Finding("stuck-saga", Severity.ERROR, suspect, found, "makes it due at once, free for any runner")

    async def repair(self, suspect: str) -> str:
        """See ``Check``."""
        now = self._clock()
        async with self._database.transaction() as tx:
            stuck = update(SagaRow).where(SagaRow.id == suspect, await self._is_stuck(tx))
            values = {"due_at": now, "locked_until": None, "token": SagaRow.token + 1, "updated_at": now}
            await tx.session.execute(stuck.values(values).execution_options(synchronize_session=False))
        return "due at once for the next runner"

    async def _is_stuck(self, tx: Transaction) -> ColumnElement[bool]:
        now = self._clock()
        worked_until = await _last_sign_of_life(tx) or now
        free = or_(SagaRow.locked_until.is_(None), SagaRow.locked_until < now)
        forgotten = SagaRow.due_at.is_(None) | (SagaRow.locked_until > now + _LONGEST_LEASE)
        overdue = (SagaRow.due_at < worked_until - OVERDUE) & free & ~self._waits_its_turn(now)
        return SagaRow.state.in_((RUNNING, COMPENSATING)) & (forgotten | overdue)

    def _waits_its_turn(self, now: datetime) -> ColumnElement[bool]:
        others = aliased(SagaRow)
        at_work = exists().where(others.step == SagaRow.step, others.locked_until >= now)
        return SagaRow.step.in_(self._long_steps) & (SagaRow.state == RUNNING) & at_work


async def _last_sign_of_life(tx: Transaction) -> datetime | None:
    recorded = await tx.session.scalar(select(func.max(OutboxEvent.created_at)))
    moved = await tx.session.scalar(select(func.max(SagaRow.updated_at)))
    return max((moment for moment in (recorded, moved) if moment is not None), default=None)
