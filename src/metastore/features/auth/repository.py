"""Every SQL statement on accounts and sessions; quota's are in ``quota``."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.auth.models import Session, User
from metastore.features.auth.roles import Status
from metastore.kit.database import Transaction


class Standing(NamedTuple):
    """A session with its user, as far as a request needs them."""

    user_id: str
    username: str
    display_name: str
    role: str
    status: str
    revoked_at: datetime | None
    expires_at: datetime


async def standing_of(tx: Transaction, session_id: str, user_id: str) -> Standing | None:
    """The session and its user, in one statement."""
    statement = (
        select(
            User.id,
            User.username,
            User.display_name,
            User.role,
            User.status,
            Session.revoked_at,
            Session.expires_at,
        )
        .join(Session, Session.user_id == User.id)
        .where(Session.id == session_id, User.id == user_id)
    )
    row = (await tx.session.execute(statement)).first()
    return Standing(*row) if row else None


async def user_by_id(tx: Transaction, user_id: str, *, lock: bool = False) -> User | None:
    """The user as the database has it now; ``lock`` holds its row until the end of the transaction."""
    statement = select(User).where(User.id == user_id).execution_options(populate_existing=True)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def user_by_key(tx: Transaction, *, username_key: str | None = None, email_key: str | None = None) -> User | None:
    """The user with that folded name or address."""
    column, key = (User.email_key, email_key) if username_key is None else (User.username_key, username_key)
    return (await tx.session.execute(select(User).where(column == key))).scalar_one_or_none()


async def any_user(tx: Transaction) -> bool:
    """Whether there is an account at all."""
    return bool((await tx.session.execute(select(exists().select_from(User)))).scalar())


async def insert_user(tx: Transaction, user: User) -> bool:
    """Add the account, unless its name or address is taken (``False``)."""
    values = {column.name: getattr(user, column.name) for column in User.__table__.columns}
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(User).values(values).on_conflict_do_nothing().returning(User.id)
    return (await tx.session.execute(statement)).first() is not None


async def insert_session(tx: Transaction, session: Session) -> None:
    """Add the session."""
    tx.session.add(session)
    await tx.session.flush()


async def session_with_user(tx: Transaction, session_id: str) -> tuple[Session, User] | None:
    """The session and its user as the database has them now."""
    statement = (
        select(Session, User)
        .join(User, User.id == Session.user_id)
        .where(Session.id == session_id)
        .execution_options(populate_existing=True)
    )
    row = (await tx.session.execute(statement)).first()
    return (row[0], row[1]) if row else None


async def advance(tx: Transaction, session_id: str, generation: int, *, refreshed_at: datetime) -> bool:
    """Move the session on by one generation; of parallel callers with the same generation one gets ``True``."""
    statement = (
        update(Session)
        .where(
            Session.id == session_id,
            Session.generation == generation,
            Session.revoked_at.is_(None),
            Session.expires_at > refreshed_at,
        )
        .values(generation=generation + 1, refreshed_at=refreshed_at)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None


async def revoke(
    tx: Transaction,
    *,
    user_id: str,
    reason: str,
    now: datetime,
    session_id: str | None = None,
    except_session_id: str | None = None,
) -> list[str]:
    """End the user's session of that id, or all its sessions but one; the ids of those that this call ended."""
    statement = update(Session).where(
        Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > now
    )
    if session_id is not None:
        statement = statement.where(Session.id == session_id)
    if except_session_id is not None:
        statement = statement.where(Session.id != except_session_id)
    statement = statement.values(revoked_at=now, revoke_reason=reason)
    ended = await tx.session.execute(statement.returning(Session.id).execution_options(synchronize_session=False))
    return list(ended.scalars())


async def live_sessions(
    tx: Transaction, user_id: str, *, now: datetime, before_id: str | None, limit: int
) -> Sequence[Row[str, str | None, str | None, datetime, datetime, datetime]]:
    """Sessions that are neither revoked nor expired, latest first."""
    statement = (
        select(
            Session.id,
            Session.user_agent,
            Session.address,
            Session.created_at,
            Session.refreshed_at,
            Session.expires_at,
        )
        .where(Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > now)
        .order_by(Session.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Session.id < before_id)
    return (await tx.session.execute(statement)).all()


async def delete_expired_sessions(tx: Transaction, before: datetime) -> None:
    """Forget sessions that ended by time before then."""
    await tx.session.execute(
        delete(Session).where(Session.expires_at < before).execution_options(synchronize_session=False)
    )


async def open_among(tx: Transaction, session_ids: Collection[str], *, now: datetime) -> set[str]:
    """Those of the sessions that have neither ended nor belong to a user who is not active."""
    statement = (
        select(Session.id)
        .join(User, User.id == Session.user_id)
        .where(
            Session.id.in_(session_ids),
            Session.revoked_at.is_(None),
            Session.expires_at > now,
            User.status == Status.ACTIVE,
        )
    )
    return set((await tx.session.execute(statement)).scalars())
