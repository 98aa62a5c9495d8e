"""The table behind ``idempotency``: who claimed which key for what, how far it got, and the answer.

Until there is an answer, its column ``body`` holds what the request noted of what it began, if anything.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import JSON, ColumnElement, Index, LargeBinary, String, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.kit.tables import Base, UtcDateTime

KEPT_FOR = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""Twice as long as any request may take."""

_CLAIMED, _EFFECTIVE, _ANSWERED = "claimed", "effective", "answered"


class IdempotencyKey(Base):
    """A key, owned by a user's id or ``anonymous:<address>``; ``attempt`` tells one claim on it from the next."""

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
    """A wish to carry out a request under a key."""

    owner: str
    key: str
    operation: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A key that is ours to work under; ``begun`` is what a lost request under it noted."""

    owner: str
    key: str
    attempt: str
    begun: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


async def try_claim(tx: Transaction, claim: Claim, *, repeatable: bool) -> Claimed | Answer:
    """Claim the key, or its stored answer; ``repeatable`` requests may run again after they took effect.

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
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    inserting = insert(IdempotencyKey).values(fresh).on_conflict_do_nothing().returning(IdempotencyKey.key)
    if (await tx.session.execute(inserting)).first() is not None:
        return claimed
    row = await _locked_row(tx, claim)
    if row is None:
        # It was given up between the two statements: whoever asks next finds it free.
        raise _in_progress()
    if row.created_at <= now - KEPT_FOR:
        await _overwrite(tx, claim, {**fresh, "status": None, "headers": None, "body": None})
        return claimed
    if (row.operation, row.fingerprint) != (claim.operation, claim.fingerprint):
        raise Problem(422, ProblemCode.IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key was used for a different request.")
    if row.state == _ANSWERED:
        return Answer(row.status or 200, row.headers or {}, row.body or b"")
    if row.locked_until > now:
        raise _in_progress()
    if row.state == _EFFECTIVE and row.body is None and not repeatable:
        raise _answer_lost()
    await _overwrite(tx, claim, {"attempt": claimed.attempt, "locked_until": now + LEASE})
    return replace(claimed, begun=row.body.decode() if row.body is not None else None)


async def move_on(tx: Transaction, claimed: Claimed, *, effective: bool) -> None:
    """Tie the transaction to the claim: it commits only while the claim is ours, and makes it effective (or not).

    Raises:
        Problem: 409 ``idempotency-in-progress`` when another has taken the claim over.
    """
    before, after = (_CLAIMED, _EFFECTIVE) if effective else (_EFFECTIVE, _CLAIMED)
    values: dict[str, object] = {"state": case((IdempotencyKey.state == before, after), else_=IdempotencyKey.state)}
    if not effective:
        values["body"] = None  # what was begun is no more
    moved = await tx.session.execute(
        update(IdempotencyKey)
        .where(*_ours(claimed))
        .values(values)
        .returning(IdempotencyKey.key)
        .execution_options(synchronize_session=False)
    )
    if moved.first() is None:
        raise _in_progress()


async def note_begun(tx: Transaction, claimed: Claimed, note: str) -> None:
    """Keep ``note``, where the answer will be, for whoever takes the claim over (``idempotency_begun``)."""
    await tx.session.execute(
        update(IdempotencyKey)
        .where(*_ours(claimed), IdempotencyKey.state != _ANSWERED)
        .values(body=note.encode())
        .execution_options(synchronize_session=False)
    )


async def store_answer(tx: Transaction, claimed: Claimed, answer: Answer) -> None:
    """Store the answer, unless there is one."""
    await tx.session.execute(
        update(IdempotencyKey)
        .where(*_ours(claimed), IdempotencyKey.state != _ANSWERED)
        .values(state=_ANSWERED, status=answer.status, headers=answer.headers, body=answer.body)
        .execution_options(synchronize_session=False)
    )


async def give_up(tx: Transaction, claimed: Claimed, *, even_effective: bool) -> None:
    """Free the key if nothing took effect (or ``even_effective``); else end the lease: the answer is lost."""
    states = (_CLAIMED, _EFFECTIVE) if even_effective else (_CLAIMED,)
    await tx.session.execute(
        delete(IdempotencyKey)
        .where(*_ours(claimed), IdempotencyKey.state.in_(states))
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(IdempotencyKey)
        .where(*_ours(claimed))
        .values(locked_until=utc_now())
        .execution_options(synchronize_session=False)
    )


async def end_leases(tx: Transaction) -> None:
    """Declare everything in progress abandoned: for the start of the only process that there is."""
    await tx.session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.state != _ANSWERED)
        .values(locked_until=utc_now())
        .execution_options(synchronize_session=False)
    )


async def prune(tx: Transaction) -> None:
    """Forget keys older than ``KEPT_FOR``."""
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


def _ours(claimed: Claimed) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.owner == claimed.owner,
        IdempotencyKey.key == claimed.key,
        IdempotencyKey.attempt == claimed.attempt,
    )


def _in_progress() -> Problem:
    detail = "The first request with this Idempotency-Key is still running."
    return Problem(409, ProblemCode.IDEMPOTENCY_IN_PROGRESS, detail, headers={"Retry-After": "1"})


def _answer_lost() -> Problem:
    detail = "The request took effect, but its response was lost. Check the result before you retry with a new key."
    return Problem(409, ProblemCode.IDEMPOTENCY_ANSWER_LOST, detail)
