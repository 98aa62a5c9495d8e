"""SQL statements of saga runners. Whatever a runner writes says which claim it writes under."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, not_, or_, select, update
from sqlalchemy.orm import aliased

from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga_models import COMPENSATING, ENDED, RUNNING, SEEN_COLUMNS, Saga, SagaRow, SagaStepRow

_NO_SYNC = {"synchronize_session": False}


class LeaseLostError(Exception):
    """The saga is somebody else's by now, or was changed from outside."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sagas a runner takes up: of these kinds, all but those at ``steps`` (kind and name), or only them."""

    kinds: Collection[str]
    steps: Collection[tuple[str, str]] = ()
    only_steps: bool = False

    @property
    def served_at(self) -> str:
        """The column that notes when one of them was claimed."""
        return "served_long_at" if self.only_steps else "served_at"


async def is_any_due(tx: Transaction, wanted: Wanted, now: datetime) -> bool:
    """Whether there is anything to claim; asked first where a claim would stop other writers."""
    return (await tx.session.scalar(select(SagaRow.id).where(*_claimable(wanted, now)).limit(1))) is not None


async def claim(
    tx: Transaction, wanted: Wanted, *, now: datetime, lease: timedelta, worker: str, limit: int
) -> list[Saga]:
    """Take up to ``limit`` due sagas, with a lease and a new token each; owners by turns (``saga`` tells how)."""
    # As a table of its own it is made once: PostgreSQL might ask a subquery again and again, with other answers.
    free = _by_turns(wanted, now, limit).with_for_update(of=SagaRow, skip_locked=True).cte("free")
    # The conditions are repeated: where rows cannot be locked, they are what decides.
    statement = (
        update(SagaRow)
        .where(SagaRow.id.in_(select(free.c.id)), *_claimable(wanted, now))
        .values(
            locked_until=now + lease,
            locked_by=worker,
            **{wanted.served_at: now},
            token=SagaRow.token + 1,
            attempts=SagaRow.attempts + 1,
            updated_at=now,
        )
        .returning(*SEEN_COLUMNS)
        .execution_options(**_NO_SYNC)
    )
    return [Saga._make(row) for row in await tx.session.execute(statement)]


async def settle(tx: Transaction, saga: Saga, values: Mapping[str, object]) -> None:
    """Change the saga under its token, if it is where the caller believes it to be.

    Raises:
        LeaseLostError: the token is old, or the saga has moved on (a commit whose answer was lost); the transaction
            is to be rolled back.
    """
    statement = (
        update(SagaRow)
        .where(
            SagaRow.id == saga.id,
            SagaRow.token == saga.token,
            SagaRow.state == saga.state,
            SagaRow.step == saga.step,
        )
        .values({**values, "updated_at": utc_now()})
        .returning(SagaRow.id)
        .execution_options(**_NO_SYNC)
    )
    if await tx.session.scalar(statement) is None:
        raise LeaseLostError(saga.id)


async def is_held(tx: Transaction, saga: Saga) -> bool:
    """Whether the saga is still as it was when it was claimed."""
    statement = select(SagaRow.id).where(SagaRow.id == saga.id, SagaRow.token == saga.token)
    return await tx.session.scalar(statement) is not None


def log_step(tx: Transaction, saga: Saga, result: str, worker: str, error: str | None = None) -> None:
    """Add a line to the step log."""
    tx.session.add(
        SagaStepRow(
            id=new_id(),
            saga_id=saga.id,
            step=saga.step,
            result=result,
            attempt=saga.attempts,
            worker=worker,
            error=error,
            at=utc_now(),
        )
    )


async def state_of(tx: Transaction, saga_id: str) -> str | None:
    """The state that a saga is in by now; ``None`` when it is gone."""
    return await tx.session.scalar(select(SagaRow.state).where(SagaRow.id == saga_id))


async def unlock_all(tx: Transaction, kinds: Collection[str]) -> None:
    """Free what a dead process held, where there is no other process that could hold anything."""
    statement = update(SagaRow).where(SagaRow.kind.in_(kinds), SagaRow.locked_until.is_not(None))
    await tx.session.execute(statement.values(locked_until=None).execution_options(**_NO_SYNC))


async def counts(
    tx: Transaction, now: datetime, late_since: datetime
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """How many sagas there are by kind and state, of those not ended; by kind how many are overdue and in no hands."""
    under_way = SagaRow.due_at.is_not(None)
    by_state = await tx.session.execute(
        select(SagaRow.kind, SagaRow.state, func.count()).where(under_way).group_by(SagaRow.kind, SagaRow.state)
    )
    free = or_(SagaRow.locked_until.is_(None), SagaRow.locked_until < now)
    late = await tx.session.execute(
        select(SagaRow.kind, func.count()).where(under_way, SagaRow.due_at < late_since, free).group_by(SagaRow.kind)
    )
    return {(row[0], row[1]): row[2] for row in by_state}, {row[0]: row[1] for row in late}


async def prune(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` sagas that ended before then and are looked at no more; how many went."""
    old = (
        select(SagaRow.id)
        .where(SagaRow.kept.is_(False), SagaRow.state.in_(ENDED), SagaRow.updated_at < before)
        .limit(limit)
    )
    statement = delete(SagaRow).where(SagaRow.id.in_(old.scalar_subquery())).returning(SagaRow.id)
    return len((await tx.session.execute(statement.execution_options(**_NO_SYNC))).all())


def _by_turns(wanted: Wanted, now: datetime, limit: int) -> Select[str]:
    """The ids of those whose turn it is.

    A saga's place is that among those of its owner that are in hand, which come first, and due. By places, and owners
    with the same one by when they were last served, everybody gets the same share.
    """
    own_order = func.row_number().over(partition_by=SagaRow.owner, order_by=(SagaRow.due_at, SagaRow.id))
    due = select(SagaRow.id, SagaRow.owner, own_order.label("place")).where(*_claimable(wanted, now)).subquery()
    in_hand = (
        select(SagaRow.owner, func.count().label("count"))
        .where(SagaRow.kind.in_(wanted.kinds), _at(wanted), SagaRow.locked_until >= now)
        .group_by(SagaRow.owner)
        .subquery()
    )
    other = aliased(SagaRow)
    last_served = select(func.max(getattr(other, wanted.served_at))).where(other.owner == due.c.owner).scalar_subquery()
    return (
        select(SagaRow.id)
        .join(due, due.c.id == SagaRow.id)
        .outerjoin(in_hand, in_hand.c.owner == due.c.owner)
        # Those behind could not be among the first ones.
        .where(due.c.place <= limit)
        .order_by(due.c.place + func.coalesce(in_hand.c.count, 0), last_served.nulls_first(), SagaRow.due_at)
        .limit(limit)
    )


def _claimable(wanted: Wanted, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SagaRow.kind.in_(wanted.kinds),
        _at(wanted),
        SagaRow.state.in_((RUNNING, COMPENSATING)),
        SagaRow.due_at <= now,
        or_(SagaRow.locked_until.is_(None), SagaRow.locked_until < now),
    )


def _at(wanted: Wanted) -> ColumnElement[bool]:
    # Taking a step back is not what makes it long.
    at_steps = and_(
        SagaRow.state == RUNNING,
        or_(false(), *(and_(SagaRow.kind == kind, SagaRow.step == step) for kind, step in wanted.steps)),
    )
    return at_steps if wanted.only_steps else not_(at_steps)
