"""SQL statements of saga runners. Every write requires the token of the runner's claim."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Command, Id, Nothing, RowInsert
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga.models import COMPENSATING, ENDED, RUNNING, Saga, SagaRow, SagaStepRow

_NO_SYNC = {"synchronize_session": False}
_INSERT_STEP = RowInsert(Nothing, insert(table_of(SagaStepRow)))
_SAGAS = table_of(SagaRow).c


class LeaseLostError(Exception):
    """Another worker has claimed the saga, or it was changed from outside."""


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """The sagas to claim: those of ``kinds`` that are not at one of ``steps`` (kind and name).

    With ``only_steps``, those that are.
    """

    kinds: tuple[str, ...]
    steps: tuple[tuple[str, str], ...] = ()
    only_steps: bool = False

    @property
    def served_at(self) -> str:
        """The column that records when a saga was claimed by this filter."""
        return "served_long_at" if self.only_steps else "served_at"


class _SagaId(NamedTuple):
    id: str


class _Due(NamedTuple):
    at: datetime | None


async def is_any_due(tx: Transaction, claimable: ClaimFilter, now: datetime) -> bool:
    """Return whether there is a saga to claim. It only reads, whereas ``claim`` blocks other writers on SQLite."""
    return await tx.fetch_first(_any_due(claimable), now=now) is not None


async def next_due(tx: Transaction, claimable: ClaimFilter, before: datetime) -> datetime | None:
    """Return when the next saga can be claimed: it is due, and no lease holds it. ``None``: not before ``before``.

    The time may be in the past.
    """
    found = await tx.fetch_first(_next_due(claimable), before=before)
    return found.at if found else None


async def claim(
    tx: Transaction,
    claimable: ClaimFilter,
    *,
    now: datetime,
    lease: timedelta,
    worker: str,
    limit: int,
    held: Collection[str] = (),
) -> list[Saga]:
    """Claim up to ``limit`` due sagas, fairly between owners (see ``sagas``), each with a lease and a new token.

    Those of ids ``held`` are claimed only if they were released, not because their lease has expired.
    """
    parameters: dict[str, object] = {"now": now, "lease_end": now + lease, "worker": worker, "limit": limit}
    if held:
        parameters["held"] = list(held)
    return await tx.execute(_claim(claimable, excludes_held=bool(held)), **parameters)


async def settle(tx: Transaction, saga: Saga, values: Mapping[str, object], *, counted: bool = True) -> None:
    """Change the saga if the token, state and step are still those of ``saga``.

    Unless ``counted``, the claim does not count as an attempt.

    Raises:
        LeaseLostError: they are not, because the claim was lost or an earlier commit succeeded unnoticed. Roll the
            transaction back.
    """
    parameters = {f"new_{name}": value for name, value in values.items()}
    claim = {"of_id": saga.id, "of_token": saga.token, "of_state": saga.state, "of_step": saga.step}
    if not await tx.execute(_settlement(tuple(values), counted=counted), **parameters, **claim, now=utc_now()):
        raise LeaseLostError(saga.id)


async def is_held(tx: Transaction, saga: Saga) -> bool:
    """Return whether the claim is still held."""
    statement = select(SagaRow.id).where(SagaRow.id == saga.id, SagaRow.token == saga.token)
    return await tx.session.scalar(statement) is not None


async def log_step(tx: Transaction, saga: Saga, result: str, worker: str, error: str | None = None) -> None:
    """Add an entry to the step log."""
    await tx.execute(
        _INSERT_STEP,
        id=new_id(),
        saga_id=saga.id,
        step=saga.step,
        result=result,
        attempt=saga.attempts,
        worker=worker,
        error=error,
        at=utc_now(),
    )


async def state_of(tx: Transaction, saga_id: str) -> str | None:
    """Return the saga's current state, or ``None`` when it is gone."""
    return await tx.session.scalar(select(SagaRow.state).where(SagaRow.id == saga_id))


async def unlock_all(tx: Transaction, kinds: Collection[str]) -> None:
    """Release all claims. Call it at the start of a deployment's only process, after an unclean end."""
    statement = update(SagaRow).where(SagaRow.kind.in_(kinds), SagaRow.locked_until.is_not(None))
    await tx.session.execute(statement.values(locked_until=None).execution_options(**_NO_SYNC))


async def counts(
    tx: Transaction, now: datetime, late_since: datetime
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Count sagas that have not ended by kind and state, and overdue, unclaimed sagas by kind."""
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
    """Delete up to ``limit`` sagas that ended before ``before`` and are not kept. Return how many were deleted."""
    old = (
        select(SagaRow.id)
        .where(SagaRow.kept.is_(False), SagaRow.state.in_(ENDED), SagaRow.updated_at < before)
        .limit(limit)
    )
    statement = delete(SagaRow).where(SagaRow.id.in_(old.scalar_subquery())).returning(SagaRow.id)
    return len((await tx.session.execute(statement.execution_options(**_NO_SYNC))).all())


@cache
def _settlement(columns: tuple[str, ...], *, counted: bool) -> Command[Id]:
    """Return the command that changes these columns of a claimed saga."""
    values: dict[str, object] = {name: bindparam(f"new_{name}", type_=_SAGAS[name].type) for name in columns}
    if not counted:
        values["attempts"] = _SAGAS.attempts - literal_column("1")
    return Command(
        Id,
        update(table_of(SagaRow))
        .where(
            _SAGAS.id == bindparam("of_id"),
            _SAGAS.token == bindparam("of_token"),
            _SAGAS.state == bindparam("of_state"),
            _SAGAS.step == bindparam("of_step"),
        )
        .values({**values, "updated_at": bindparam("now", type_=_SAGAS.updated_at.type)})
        .returning(_SAGAS.id),
    )


@cache
def _any_due(claimable: ClaimFilter) -> Query[_SagaId]:
    now = bindparam("now", type_=UtcDateTime())
    return Query(_SagaId, select(SagaRow.id).where(*_claimable(claimable, now)).limit(literal_column("1")))


@cache
def _next_due(claimable: ClaimFilter) -> Query[_Due]:
    claimable_at = case((SagaRow.locked_until > SagaRow.due_at, SagaRow.locked_until), else_=SagaRow.due_at)
    before = bindparam("before", type_=UtcDateTime())
    return Query(_Due, select(func.min(claimable_at)).where(*_unfinished(claimable), SagaRow.due_at <= before))


@cache
def _claim(claimable: ClaimFilter, *, excludes_held: bool) -> Command[Saga]:
    """Return the command that claims sagas. With ``excludes_held``, those in the list ``held`` have to be released."""

    def statement(dialect: str) -> Update:
        now = bindparam("now", type_=UtcDateTime())
        free_or_expired = _claimable(claimable, now, dialect if excludes_held else None)
        # A CTE is evaluated once. PostgreSQL might evaluate a subquery repeatedly, with different results.
        in_order = _in_fair_order(claimable, now, free_or_expired)
        free = in_order.with_for_update(of=SagaRow, skip_locked=True).cte("free")
        # The conditions are repeated because SQLite does not lock the selected rows.
        return (
            update(table_of(SagaRow))
            .where(_SAGAS.id.in_(select(free.c.id)), *free_or_expired)
            .values(
                {
                    "locked_until": bindparam("lease_end", type_=UtcDateTime()),
                    "locked_by": bindparam("worker"),
                    claimable.served_at: now,
                    "token": _SAGAS.token + literal_column("1"),
                    "attempts": _SAGAS.attempts + literal_column("1"),
                    "updated_at": now,
                }
            )
            .returning(*(_SAGAS[name] for name in Saga._fields))
        )

    return Command(Saga, statement)


def _in_fair_order(
    claimable: ClaimFilter, now: BindParameter[datetime], free_or_expired: Sequence[ColumnElement[bool]]
) -> Select[str]:
    """Select the ids of the sagas to claim next.

    A saga's position is the number of its owner's claimed sagas plus its place among the owner's due ones. Ordering by
    position, then by when the owner was last served, gives every owner the same share.
    """
    limit = bindparam("limit", type_=Integer())
    # People look at what they have just uploaded. Long steps follow each other as they became due, so that all end.
    first = SagaRow.due_at if claimable.only_steps else SagaRow.due_at.desc()
    own_order = func.row_number().over(partition_by=SagaRow.owner, order_by=(first, SagaRow.id))
    due = select(SagaRow.id, SagaRow.owner, own_order.label("place")).where(*free_or_expired).subquery()
    held = (
        select(SagaRow.owner, func.count().label("count"))
        .where(_of_kinds(claimable), _at(claimable), SagaRow.locked_until >= now)
        .group_by(SagaRow.owner)
        .subquery()
    )
    other = aliased(SagaRow)
    last_served = (
        select(func.max(getattr(other, claimable.served_at))).where(other.owner == due.c.owner).scalar_subquery()
    )
    return (
        select(SagaRow.id)
        .join(due, due.c.id == SagaRow.id)
        .outerjoin(held, held.c.owner == due.c.owner)
        # Sagas further back cannot be among the first ``limit``.
        .where(due.c.place <= limit)
        .order_by(due.c.place + func.coalesce(held.c.count, 0), last_served.nulls_first(), SagaRow.due_at)
        .limit(limit)
    )


def _claimable(
    claimable: ClaimFilter, now: BindParameter[datetime], held_for: str | None = None
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions; with the dialect ``held_for``, the sagas in the list ``held`` have to be released."""
    expired = SagaRow.locked_until < now
    if held_for is not None:
        expired = and_(expired, not_(one_of(SagaRow.id, "held", held_for)))
    return (*_unfinished(claimable), SagaRow.due_at <= now, or_(SagaRow.locked_until.is_(None), expired))


def _unfinished(claimable: ClaimFilter) -> tuple[ColumnElement[bool], ...]:
    return _of_kinds(claimable), _at(claimable), or_(SagaRow.state == RUNNING, SagaRow.state == COMPENSATING)


def _of_kinds(claimable: ClaimFilter) -> ColumnElement[bool]:
    return or_(false(), *(SagaRow.kind == kind for kind in claimable.kinds))


def _at(claimable: ClaimFilter) -> ColumnElement[bool]:
    # Only the action of a long step is long, not its compensation.
    at_steps = and_(
        SagaRow.state == RUNNING,
        or_(false(), *(and_(SagaRow.kind == kind, SagaRow.step == step) for kind, step in claimable.steps)),
    )
    return at_steps if claimable.only_steps else not_(at_steps)
