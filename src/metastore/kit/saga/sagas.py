"""Sagas: work of several steps that always reaches an end state, even when processes die.

A saga is a row of ``sagas``. Its *definition* (``definition``) lists its steps, each an idempotent action with a
compensation. Runners (``runner``), any number of them in any processes, execute the steps. Features start, advance
and end sagas with the functions below, in the transaction of their own change. They do not need the definition.

**The protocol.** A saga with work to do has a ``due_at``. A runner *claims* a due saga with one conditional ``UPDATE``
(due, and not locked or the lock has expired), which sets ``locked_until``, counts the attempt and increments ``token``.
The runner then works outside any transaction and renews its lease. A step returns its database changes as a function.
The runner calls it in the transaction that advances the saga, whose ``UPDATE`` requires the runner's token.

**Guarantees.**

* *One effect.* When a slow worker's lease has expired and the saga was claimed again, its token no longer matches and
  its transaction rolls back, including the effect. Clock differences between machines can end a lease early, so work
  may be done twice, but its effect cannot happen twice: tokens do not depend on time.
* *Effects outside the database*, such as an object in the store, happen before the commit and under names derived from
  the saga, so that repeating them replaces them. A worker whose saga was cancelled compensates its own step.
* *No loss.* When a worker dies, its lock expires and the next claim repeats the same step. Signals only wake
  runners early; every runner also polls the table (``wake_ups``).
* *Termination.* A step has a time limit and a number of attempts; a crash of the worker counts as one. After the last
  attempt the completed steps are compensated in reverse order. A step that waits for a client is due at its deadline. A
  compensation that fails as often is skipped, which the step log records; fsck finds what it leaves behind.
* *Outages do not count as attempts.* While a dependency (store, database, disk space) is unavailable, the saga is
  retried every few seconds, up to the outage limit of its definition. ``outage_since`` is a column, so the limit holds
  across workers.
* *The pivot.* Compensation stops at the step marked as pivot. A saga that fails after it can be restarted from there.

**Fairness.** Runners have one lane for long steps and one for all others, so that short steps need not wait. In each
lane, owners take turns: the owner with the fewest claimed sagas comes first, then the one who was served the longest
ago. A user who uploads 200 films delays others by no more than the steps that are running. Of an owner's own sagas, the
one that became due last comes first, since people look at what they have just uploaded; those that became due together
run in the order in which they were started. Long steps run in the order in which they became due. ``claims.claim``
decides all this in one statement.

Changes from outside (``advance``, ``finish``, ``end``, ``cancel``, ``restart``) increment the token, too, and name the
step or state that they start from. When a request and a runner race, one of them wins and the other changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import ColumnElement, String, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.orm import QueryableAttribute

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Command, Id, Nothing, RowInsert
from metastore.kit.database.query import Query, Statement, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import wake_ups
from metastore.kit.saga.models import (
    CANCELLED,
    COMPENSATING,
    DONE,
    ENDED,
    FAILED,
    RUNNING,
    SAGA_COLUMNS,
    SUCCEEDED,
    Saga,
    SagaRow,
    SagaStepRow,
)

_NO_SYNC = {"synchronize_session": False}
_INSERT_SAGAS = RowInsert(Nothing, insert(table_of(SagaRow)))
_INSERT_STEPS = RowInsert(Nothing, insert(table_of(SagaStepRow)))
_SAGAS = table_of(SagaRow).c

_AT_STEP, _UNDER_WAY, _RETRYABLE = "at a step", "under way", "retryable"
_CONDITIONS = {
    _AT_STEP: and_(_SAGAS.state == RUNNING, _SAGAS.step == bindparam("at_step")),
    _UNDER_WAY: and_(*(_SAGAS.state != ended for ended in ENDED)),
    _RETRYABLE: and_(_SAGAS.state == FAILED, _SAGAS.retryable.is_(True)),
}


def start(
    tx: Transaction,
    kind: str,
    subject: str,
    *,
    done: str,
    step: str,
    due_at: datetime,
    data: Mapping[str, JsonValue],
    owner: str = "",
) -> None:
    """Start a saga whose first step ``done`` is this transaction. Runners execute ``step`` from ``due_at`` on.

    There can be only one saga of a kind for a subject. Runners share their time fairly between owners.
    """
    now, saga_id = utc_now(), new_id()
    tx.session.add(
        SagaRow(
            id=saga_id,
            kind=kind,
            subject=subject,
            owner=owner,
            state=RUNNING,
            step=step,
            due_at=due_at,
            data=dict(data),
            created_at=now,
            updated_at=now,
        )
    )
    tx.session.add(SagaStepRow(id=new_id(), saga_id=saga_id, step=done, result=DONE, attempt=1, at=now))
    wake_ups.schedule(tx, due_at)


class NewSaga(NamedTuple):
    """What a new saga works on, for whom, and its data."""

    subject: str
    owner: str
    data: Mapping[str, JsonValue]


async def start_all(
    tx: Transaction, kind: str, new: Sequence[NewSaga], *, done: Sequence[str], step: str, due_at: datetime
) -> dict[str, Saga]:
    """Start sagas as ``start`` does, with the steps ``done``, in two statements. Return them by subject."""
    now = utc_now()
    rows = [
        {
            "id": new_id(),
            "kind": kind,
            "subject": saga.subject,
            "owner": saga.owner,
            "state": RUNNING,
            "step": step,
            "due_at": due_at,
            "data": dict(saga.data),
            "created_at": now,
            "updated_at": now,
        }
        for saga in new
    ]
    steps = [
        {"id": new_id(), "saga_id": row["id"], "step": name, "result": DONE, "attempt": 1, "at": now}
        for row in rows
        for name in done
    ]
    await tx.execute_soon(_INSERT_SAGAS, rows)
    await tx.execute_soon(_INSERT_STEPS, steps)
    wake_ups.schedule(tx, due_at)
    return {
        saga.subject: Saga(
            id=str(row["id"]),
            kind=kind,
            subject=saga.subject,
            state=RUNNING,
            step=step,
            attempts=0,
            token=0,
            outcome=FAILED,
            error=None,
            failed_step=None,
            retryable=False,
            progress=0,
            data=saga.data,
            outage_since=None,
        )
        for row, saga in zip(rows, new, strict=True)
    }


async def postpone(
    tx: Transaction,
    kind: str,
    subject: str,
    *,
    step: str,
    due_at: datetime,
    data: Mapping[str, JsonValue] | None = None,
) -> bool:
    """Move the due time of the waiting step ``step`` to ``due_at``, and replace the saga's data by ``data`` if given.

    Returns ``False`` when the saga is not at that step.
    """
    values: dict[str, object] = {"due_at": due_at, "attempts": 0, "locked_until": None}
    if data:
        values["data"] = dict(data)
    return await _changed(tx, kind, subject, _AT_STEP, at_step=step, values=values)


async def advance(tx: Transaction, kind: str, subject: str, *, step: str, to: str) -> bool:
    """Record that ``step`` was done in this transaction and make ``to`` due.

    Returns ``False`` when the saga is not at ``step``.
    """
    values: dict[str, object] = {"step": to, "attempts": 0, "progress": 0, "due_at": utc_now(), "locked_until": None}
    return await _changed(tx, kind, subject, _AT_STEP, at_step=step, values=values, log=step)


async def finish(tx: Transaction, kind: str, subject: str, *, step: str, last: str) -> bool:
    """Record that ``step`` and all steps up to ``last`` were done in this transaction, and end the saga as succeeded.

    Returns ``False`` when the saga is not at ``step``.
    """
    values = {**_ended(SUCCEEDED), "step": last, "progress": 100}
    return await _changed(tx, kind, subject, _AT_STEP, at_step=step, values=values, log=last)


async def end(
    tx: Transaction, kind: str, subject: str, *, error: str, cancelled: bool, code: ReasonCode | None = None
) -> bool:
    """End a saga that was compensated in this transaction. Return ``False`` when it has already ended."""
    values = {**_ended(CANCELLED if cancelled else FAILED), "error": error, "error_code": code}
    return await _changed(tx, kind, subject, _UNDER_WAY, values=values)


async def cancel(tx: Transaction, kind: str, subject: str, *, error: str) -> bool:
    """Have runners compensate the saga, which then ends as cancelled. Return ``False`` when it has already ended."""
    values: dict[str, object] = {
        "state": COMPENSATING,
        "outcome": CANCELLED,
        "error": error,
        "error_code": None,
        "attempts": 0,
        "due_at": utc_now(),
        "locked_until": None,
    }
    return await _changed(tx, kind, subject, _UNDER_WAY, values=values)


async def restart(tx: Transaction, kind: str, subject: str, *, step: str) -> bool:
    """Run a failed, retryable saga again from ``step`` on. Return ``False`` when there is no such saga."""
    values: dict[str, object] = {
        "state": RUNNING,
        "step": step,
        "outcome": FAILED,
        "error": None,
        "error_code": None,
        "failed_step": None,
        "retryable": False,
        "kept": False,
        "attempts": 0,
        "progress": 0,
        "due_at": utc_now(),
    }
    return await _changed(tx, kind, subject, _RETRYABLE, values=values)


async def forget(tx: Transaction, kind: str, subject: str) -> None:
    """Delete the saga if it has ended."""
    statement = delete(SagaRow).where(SagaRow.kind == kind, SagaRow.subject == subject, SagaRow.state.in_(ENDED))
    await tx.session.execute(statement.execution_options(**_NO_SYNC))


def is_under_way(kind: str, subject: QueryableAttribute[str]) -> ColumnElement[bool]:
    """Return the SQL condition that a saga of ``kind`` for the column ``subject`` has not ended."""
    return exists().where(SagaRow.kind == kind, SagaRow.subject == subject, SagaRow.state.not_in(ENDED))


async def sagas_of(tx: Transaction, kind: str, subjects: Sequence[str]) -> dict[str, Saga]:
    """Return the sagas of these subjects, by subject."""
    found = await tx.fetch(_SAGAS_OF, kind=kind, subjects=list(subjects)) if subjects else []
    return {saga.subject: saga for saga in found}


def _sagas_of(dialect: str) -> Statement:
    of_kind = SagaRow.kind == bindparam("kind", type_=String)
    return select(*SAGA_COLUMNS).where(of_kind, one_of(SagaRow.subject, "subjects", dialect))


_SAGAS_OF = Query(Saga, _sagas_of)


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "due_at": None, "locked_until": None, "retryable": False, "kept": False}


async def _changed(
    tx: Transaction,
    kind: str,
    subject: str,
    condition: str,
    *,
    values: Mapping[str, object],
    at_step: str = "",
    log: str | None = None,
) -> bool:
    now = utc_now()
    parameters = {f"new_{name}": value for name, value in values.items()}
    parameters |= {"of_kind": kind, "of_subject": subject, "now": now}
    if condition == _AT_STEP:
        parameters["at_step"] = at_step
    changed = await tx.execute(_change(condition, tuple(values)), **parameters)
    due_at = values.get("due_at")
    if changed and isinstance(due_at, datetime):
        wake_ups.schedule(tx, due_at)
    if changed and log is not None:
        step = {"id": new_id(), "saga_id": changed[0].id, "step": log, "result": DONE, "attempt": 1, "at": now}
        await tx.execute_soon(_INSERT_STEPS, [step])
    return bool(changed)


@cache
def _change(condition: str, columns: tuple[str, ...]) -> Command[Id]:
    """Return the command that changes these columns of a saga that meets the condition, and ends its claim."""
    given = {name: bindparam(f"new_{name}", type_=_SAGAS[name].type) for name in columns}
    released = {"token": _SAGAS.token + 1, "locked_by": None, "outage_since": None}
    return Command(
        Id,
        update(table_of(SagaRow))
        .where(_SAGAS.kind == bindparam("of_kind"), _SAGAS.subject == bindparam("of_subject"), _CONDITIONS[condition])
        .values({**released, **given, "updated_at": bindparam("now", type_=_SAGAS.updated_at.type)})
        .returning(_SAGAS.id),
    )
