"""Sagas: work of several steps that always comes to an end, whoever dies on the way.

A saga is a row of ``sagas``. Its *definition* (``saga_steps``) names its steps, each an idempotent action with its
compensation beside it; runners (``saga_runner``), any number of them in any processes, carry sagas from step to step.
Features start a saga, move it on or end it by its kind with the functions below, in the transaction of their own
change, and never see the definition.

**The protocol.** A saga that wants something done has a ``due_at``. A runner *claims* a due one by a single conditional
``UPDATE`` (due, and locked by nobody or no longer), which sets ``locked_until``, counts the attempt and raises
``token``. It then works outside any transaction, and renews its lease meanwhile. What a step wants in the database it
returns as a function; the runner calls that in one transaction with the saga's advance, whose ``UPDATE`` says
``WHERE token = mine``.

**Why it is safe.**

* *One effect.* A worker that was slow, or paused, or cut off, and whose lease ran out meanwhile, finds another token
  when it comes to write: its transaction rolls back, effect and all. Clocks that differ between machines can make a
  lease run out early and work be done twice; they cannot make its effect happen twice, for tokens know no time.
* *What is outside the database* (an object in the store) is done before the commit under a name that follows from the
  saga, so that doing it again replaces it. A worker that finds its saga cancelled takes back what it did.
* *No loss.* A worker that dies leaves a lock that runs out; the next claim goes on with the same step. Messages only
  wake runners early: all of them look at the table by themselves.
* *An end, always.* A step has a time limit and a number of tries, the first of which a worker's death uses up as well.
  After the last one the steps done are compensated, backwards. A step that waits for somebody else is due at its
  deadline. A compensation that fails as often is passed over with a log line: what it leaves is found by the checks.
* *Outages are no tries.* While something that the step needs is away (the store, the database, room on the disk), the
  saga waits and looks again every few seconds, as long as its definition has patience; only then tries are counted.
  ``away_since`` is in the row, so that the end comes whoever looks.
* *The pivot.* Behind a step so marked there is no way back before it: compensation stops there, and the saga may be
  tried again from there on.

**Who is next.** Runners have one lane for long steps and another for all others, so that these need not wait. In each,
owners are served by turns: the one with the fewest sagas in hand comes first, of equals the one who was served the
longest ago, and an owner's own sagas come in the order in which they became due. So somebody who brings 200 films makes
nobody else wait for more than those that are in hand. ``saga_claims.claim`` decides it, in one statement.

Changes from outside (``advance``, ``finish``, ``end``, ``cancel``, ``restart``) raise the token as well, and name the
step or state that they start from: of a request and a runner that race, one wins and the other has changed nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import ColumnElement, delete, select, update

from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction
from metastore.kit.ids import new_id
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import (
    CANCELLED,
    COMPENSATING,
    DONE,
    ENDED,
    FAILED,
    RUNNING,
    SEEN_COLUMNS,
    SUCCEEDED,
    Saga,
    SagaRow,
    SagaStepRow,
)

_NO_SYNC = {"synchronize_session": False}


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
    """Start a saga whose first step ``done`` is this very transaction; runners take up ``step`` at ``due_at``.

    There is one saga of a kind for a subject. Those of different owners are served by turns.
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


async def postpone(
    tx: Transaction,
    kind: str,
    subject: str,
    *,
    step: str,
    due_at: datetime,
    data: Mapping[str, JsonValue] | None = None,
) -> bool:
    """Let ``step``, which waits for somebody, wait until then, ``data`` added to its own; whether it still waits."""
    values: dict[str, object] = {"due_at": due_at, "attempts": 0, "locked_until": None}
    if data:
        known = await sagas_of(tx, kind, [subject])
        values["data"] = {**(known[subject].data if subject in known else {}), **data}
    return await _changed(tx, kind, subject, SagaRow.state == RUNNING, SagaRow.step == step, values=values)


async def advance(tx: Transaction, kind: str, subject: str, *, step: str, to: str) -> bool:
    """``step`` was done in this transaction; runners go on with ``to``. ``False`` when the saga is not there (now)."""
    values: dict[str, object] = {"step": to, "attempts": 0, "progress": 0, "due_at": utc_now(), "locked_until": None}
    return await _changed(tx, kind, subject, SagaRow.state == RUNNING, SagaRow.step == step, values=values, log=step)


async def finish(tx: Transaction, kind: str, subject: str, *, step: str, last: str) -> bool:
    """``step`` and all that follow it up to ``last`` were done in this transaction. ``False`` as for ``advance``."""
    values = {**_ended(SUCCEEDED), "step": last, "progress": 100}
    return await _changed(tx, kind, subject, SagaRow.state == RUNNING, SagaRow.step == step, values=values, log=last)


async def end(
    tx: Transaction, kind: str, subject: str, *, error: str, cancelled: bool, code: ReasonCode | None = None
) -> bool:
    """The saga was compensated in this transaction. ``False`` when it has ended before."""
    error_code = code.value if code else None
    values = {**_ended(CANCELLED if cancelled else FAILED), "error": error, "error_code": error_code}
    return await _changed(tx, kind, subject, SagaRow.state.not_in(ENDED), values=values)


async def cancel(tx: Transaction, kind: str, subject: str, *, error: str) -> bool:
    """Have runners take back what was done; nobody is told of it as a failure. ``False`` when nothing is under way."""
    values: dict[str, object] = {
        "state": COMPENSATING,
        "outcome": CANCELLED,
        "error": error,
        "error_code": None,
        "attempts": 0,
        "due_at": utc_now(),
        "locked_until": None,
    }
    return await _changed(tx, kind, subject, SagaRow.state.not_in(ENDED), values=values)


async def restart(tx: Transaction, kind: str, subject: str, *, step: str) -> bool:
    """Run a saga that failed, and may be tried again, from ``step`` on. ``False`` when there is none such."""
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
    return await _changed(tx, kind, subject, SagaRow.state == FAILED, SagaRow.retryable.is_(True), values=values)


async def forget(tx: Transaction, kind: str, subject: str) -> None:
    """Delete the saga if it has ended: its subject is gone."""
    statement = delete(SagaRow).where(SagaRow.kind == kind, SagaRow.subject == subject, SagaRow.state.in_(ENDED))
    await tx.session.execute(statement.execution_options(**_NO_SYNC))


async def sagas_of(tx: Transaction, kind: str, subjects: Sequence[str]) -> dict[str, Saga]:
    """The sagas of these subjects, in one statement."""
    if not subjects:
        return {}
    statement = select(*SEEN_COLUMNS).where(SagaRow.kind == kind, SagaRow.subject.in_(subjects))
    found = [Saga._make(row) for row in await tx.session.execute(statement)]
    return {saga.subject: saga for saga in found}


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "due_at": None, "locked_until": None, "retryable": False, "kept": False}


async def _changed(
    tx: Transaction,
    kind: str,
    subject: str,
    *conditions: ColumnElement[bool],
    values: Mapping[str, object],
    log: str | None = None,
) -> bool:
    now = utc_now()
    statement = (
        update(SagaRow)
        .where(SagaRow.kind == kind, SagaRow.subject == subject, *conditions)
        .values({**values, "token": SagaRow.token + 1, "locked_by": None, "away_since": None, "updated_at": now})
        .returning(SagaRow.id)
        .execution_options(**_NO_SYNC)
    )
    saga_id = await tx.session.scalar(statement)
    if saga_id is not None and log is not None:
        tx.session.add(SagaStepRow(id=new_id(), saga_id=saga_id, step=log, result=DONE, attempt=1, at=now))
    return saga_id is not None
