"""The table of idempotency keys: who claimed a key for which request, its state, and the stored response.

Until there is a response, the column ``body`` holds the request's checkpoint, if it saved one.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import JSON, ColumnElement, Index, LargeBinary, String, bindparam, case, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Command, Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.tables import Base, UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

KEPT_FOR = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""Twice the time limit of a request."""

_CLAIMED, _EFFECTIVE, _RESPONDED = "claimed", "effective", "answered"


class IdempotencyKey(Base):
    """A key of ``owner``: a user's id or ``anonymous:<address>``. ``attempt`` identifies the current claim on it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    operation: Mapped[str] = mapped_column(String(1000))
    fingerprint: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    attempt: Mapped[str] = mapped_column(String(32))
    locked_until: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to run under a key."""

    owner: str
    key: str
    operation: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A held claim. ``checkpoint`` is the checkpoint that an interrupted run under the same key saved."""

    owner: str
    key: str
    attempt: str
    checkpoint: str | None = None


class _Key(NamedTuple):
    owner: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


async def try_claim(tx: Transaction, claim: Claim, *, repeatable: bool) -> Claimed | StoredResponse:
    """Claim the key, or return its stored response. ``repeatable`` requests may run again after they took effect.

    Raises:
        Problem: 422 ``idempotency-key-reused``; 409 ``idempotency-in-progress`` or ``idempotency-answer-lost``.
    """
    now = utc_now()
    claimed = Claimed(claim.owner, claim.key, secrets.token_hex(16))
    fresh = {
        "owner": claim.owner,
        "key": claim.key,
        "operation": claim.operation,
        "fingerprint": claim.fingerprint,
        "state": _CLAIMED,
        "attempt": claimed.attempt,
        "locked_until": now + LEASE,
        "created_at": now,
    }
    if await tx.execute(_CLAIM_NEW, **fresh):
        return claimed
    row = await _locked_row(tx, claim)
    if row is None:
        # It was released between the two statements. The next request finds it free.
        raise _in_progress()
    if row.created_at <= now - KEPT_FOR:
        await _overwrite(tx, claim, {**fresh, "status": None, "headers": None, "body": None})
        return claimed
    if (row.operation, row.fingerprint) != (claim.operation, claim.fingerprint):
        raise Problem(422, ProblemCode.IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key was used for a different request.")
    if row.state == _RESPONDED:
        return StoredResponse(row.status or 200, row.headers or {}, row.body or b"")
    if row.locked_until > now:
        raise _in_progress()
    if row.state == _EFFECTIVE and row.body is None and not repeatable:
        raise _response_lost()
    await _overwrite(tx, claim, {"attempt": claimed.attempt, "locked_until": now + LEASE})
    return replace(claimed, checkpoint=row.body.decode() if row.body is not None else None)


async def update_state(tx: Transaction, claimed: Claimed, *, effective: bool) -> None:
    """Mark the claim as effective in ``tx``, or as claimed again. ``tx`` can commit only while the claim is held.

    Raises:
        Problem: 409 ``idempotency-in-progress`` when another request has taken the claim over.
    """
    if not await tx.execute(_TAKE_EFFECT if effective else _UNDO_EFFECT, **_of(claimed)):
        raise _in_progress()


async def save_checkpoint(tx: Transaction, claimed: Claimed, note: str) -> None:
    """Store ``note`` for a later run that takes the claim over (``checkpoints``)."""
    await tx.execute_soon(_SAVE_CHECKPOINT, [{**_of(claimed), "note": note.encode()}])


async def save_response(tx: Transaction, claimed: Claimed, response: StoredResponse) -> None:
    """Store the response, unless there already is one."""
    stored = {"new_status": response.status, "new_headers": response.headers, "new_body": response.body}
    await tx.execute_soon(_SAVE_RESPONSE, [{**_of(claimed), **stored}])


async def release_claim(tx: Transaction, claimed: Claimed, *, even_effective: bool) -> None:
    """Delete the key if nothing took effect, or with ``even_effective``. Otherwise end its lease."""
    states = (_CLAIMED, _EFFECTIVE) if even_effective else (_CLAIMED,)
    await tx.session.execute(
        delete(IdempotencyKey)
        .where(*_held(claimed), IdempotencyKey.state.in_(states))
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(IdempotencyKey)
        .where(*_held(claimed))
        .values(locked_until=utc_now())
        .execution_options(synchronize_session=False)
    )


async def end_leases(tx: Transaction) -> None:
    """End the leases of all unfinished requests. Call it at the start of a deployment's only process."""
    await tx.session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.state != _RESPONDED)
        .values(locked_until=utc_now())
        .execution_options(synchronize_session=False)
    )


async def prune(tx: Transaction) -> None:
    """Delete keys older than ``KEPT_FOR``."""
    await tx.session.execute(
        delete(IdempotencyKey)
        .where(IdempotencyKey.created_at <= utc_now() - KEPT_FOR)
        .execution_options(synchronize_session=False)
    )


async def _locked_row(tx: Transaction, claim: Claim) -> IdempotencyKey | None:
    statement = (
        select(IdempotencyKey)
        .where(IdempotencyKey.owner == claim.owner, IdempotencyKey.key == claim.key)
        .with_for_update()
    )
    return (await tx.session.execute(statement)).scalar_one_or_none()


async def _overwrite(tx: Transaction, claim: Claim, values: dict[str, object]) -> None:
    await tx.session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.owner == claim.owner, IdempotencyKey.key == claim.key)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _held(claimed: Claimed) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.owner == claimed.owner,
        IdempotencyKey.key == claimed.key,
        IdempotencyKey.attempt == claimed.attempt,
    )


def _of(claimed: Claimed) -> dict[str, object]:
    return {"of_owner": claimed.owner, "of_key": claimed.key, "of_attempt": claimed.attempt}


_KEYS = table_of(IdempotencyKey).c
_CLAIM_NEW = RowInsert(
    _Key,
    lambda dialect: (
        insert_into(table_of(IdempotencyKey), dialect).on_conflict_do_nothing().returning(_KEYS.owner, _KEYS.key)
    ),
)
_OF_CLAIM = update(table_of(IdempotencyKey)).where(
    _KEYS.owner == bindparam("of_owner"), _KEYS.key == bindparam("of_key"), _KEYS.attempt == bindparam("of_attempt")
)
_TAKE_EFFECT = Command(
    _Key,
    _OF_CLAIM.values(state=case((_KEYS.state == _CLAIMED, _EFFECTIVE), else_=_KEYS.state)).returning(
        _KEYS.owner, _KEYS.key
    ),
)
# The checkpoint was undone as well.
_UNDO_EFFECT = Command(
    _Key,
    _OF_CLAIM.values(state=case((_KEYS.state == _EFFECTIVE, _CLAIMED), else_=_KEYS.state), body=None).returning(
        _KEYS.owner, _KEYS.key
    ),
)
_WITHOUT_RESPONSE = _OF_CLAIM.where(_KEYS.state != _RESPONDED)
_SAVE_CHECKPOINT = Command(Nothing, _WITHOUT_RESPONSE.values(body=bindparam("note", type_=_KEYS.body.type)))
_SAVE_RESPONSE = Command(
    Nothing,
    _WITHOUT_RESPONSE.values(
        state=_RESPONDED,
        status=bindparam("new_status", type_=_KEYS.status.type),
        headers=bindparam("new_headers", type_=_KEYS.headers.type),
        body=bindparam("new_body", type_=_KEYS.body.type),
    ),
)


def _in_progress() -> Problem:
    detail = "The first request with this Idempotency-Key is still running."
    return Problem(409, ProblemCode.IDEMPOTENCY_IN_PROGRESS, detail, headers={"Retry-After": "1"})


def _response_lost() -> Problem:
    detail = "The request took effect, but its response was lost. Check the result before you retry with a new key."
    return Problem(409, ProblemCode.IDEMPOTENCY_RESPONSE_LOST, detail)
