"""SQL statements on accounts and sessions; those on storage are in ``accounts.quota``."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Integer, String, bindparam, delete, exists, select, update

from metastore.features.auth.identity.roles import Status
from metastore.features.auth.models import Session, User
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query
from metastore.kit.database.tables import UtcDateTime
from metastore.kit.database.unit_of_work import Transaction


class SessionUser(NamedTuple):
    """A user as the API shows it, and whether one of its sessions is active: all that a request needs to know."""

    id: str
    username: str
    email: str
    display_name: str
    role: str
    status: str
    plan: str
    storage_used: int
    storage_reserved: int
    storage_quota: int
    revoked_at: datetime | None
    expires_at: datetime


_SESSION_USER = Query(
    SessionUser,
    select(
        User.id,
        User.username,
        User.email,
        User.display_name,
        User.role,
        User.status,
        User.plan,
        User.storage_used,
        User.storage_reserved,
        User.storage_quota,
        Session.revoked_at,
        Session.expires_at,
    )
    .join(Session, Session.user_id == User.id)
    .where(Session.id == bindparam("session", type_=String), User.id == bindparam("user", type_=String)),
)


async def session_user(tx: Transaction, session_id: str, user_id: str) -> SessionUser | None:
    """Return the session's user, in one statement."""
    return await tx.fetch_first(_SESSION_USER, session=session_id, user=user_id)


async def user_by_id(tx: Transaction, user_id: str, *, lock: bool = False) -> User | None:
    """Return the user as currently stored; ``lock`` locks its row until the end of the transaction."""
    statement = select(User).where(User.id == user_id).execution_options(populate_existing=True)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def user_by_key(tx: Transaction, *, username_key: str | None = None, email_key: str | None = None) -> User | None:
    """Return the user with this comparison key of a username or an e-mail address."""
    column, key = (User.email_key, email_key) if username_key is None else (User.username_key, username_key)
    return (await tx.session.execute(select(User).where(column == key))).scalar_one_or_none()


async def any_user(tx: Transaction) -> bool:
    """Return whether any account exists."""
    return bool((await tx.session.execute(select(exists().select_from(User)))).scalar())


async def insert_user(tx: Transaction, user: User) -> bool:
    """Insert the account; return ``False`` if its name or address is taken."""
    values = {column.name: getattr(user, column.name) for column in User.__table__.columns}
    statement = insert_into(User, tx.dialect).values(values).on_conflict_do_nothing().returning(User.id)
    return (await tx.session.execute(statement)).first() is not None


async def insert_session(tx: Transaction, session: Session) -> None:
    """Insert the session."""
    tx.session.add(session)
    await tx.session.flush()


async def session_with_user(tx: Transaction, session_id: str) -> tuple[Session, User] | None:
    """Return the session and its user as currently stored."""
    statement = (
        select(Session, User)
        .join(User, User.id == Session.user_id)
        .where(Session.id == session_id)
        .execution_options(populate_existing=True)
    )
    row = (await tx.session.execute(statement)).first()
    return (row[0], row[1]) if row else None


async def rotate(tx: Transaction, session_id: str, generation: int, *, refreshed_at: datetime) -> bool:
    """Increment the session's generation; of several callers with the same one, exactly one gets ``True``."""
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
    """Revoke one session of the user, or all but one; return the IDs of the sessions this call revoked."""
    statement = update(Session).where(
        Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > now
    )
    if session_id is not None:
        statement = statement.where(Session.id == session_id)
    if except_session_id is not None:
        statement = statement.where(Session.id != except_session_id)
    statement = statement.values(revoked_at=now, revoke_reason=reason)
    revoked = await tx.session.execute(statement.returning(Session.id).execution_options(synchronize_session=False))
    return list(revoked.scalars())


class ActiveSession(NamedTuple):
    """A session as its user sees it in the list."""

    id: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


async def active_sessions(
    tx: Transaction, user_id: str, *, now: datetime, before_id: str | None, limit: int
) -> Sequence[ActiveSession]:
    """Return the user's sessions that are neither revoked nor expired, latest first."""
    query = _active_sessions_query(resumed=before_id is not None)
    return await tx.fetch(query, user=user_id, now=now, before=before_id, limit=limit)


@cache
def _active_sessions_query(*, resumed: bool) -> Query[ActiveSession]:
    statement = select(*(getattr(Session, name) for name in ActiveSession._fields)).where(
        Session.user_id == bindparam("user", type_=String),
        Session.revoked_at.is_(None),
        Session.expires_at > bindparam("now", type_=UtcDateTime()),
    )
    if resumed:
        statement = statement.where(Session.id < bindparam("before", type_=String))
    return Query(ActiveSession, statement.order_by(Session.id.desc()).limit(bindparam("limit", type_=Integer)))


async def delete_expired_sessions(tx: Transaction, before: datetime) -> None:
    """Delete sessions that expired before ``before``."""
    await tx.session.execute(
        delete(Session).where(Session.expires_at < before).execution_options(synchronize_session=False)
    )


async def active_among(tx: Transaction, session_ids: Collection[str], *, now: datetime) -> set[str]:
    """Return those of the sessions that are neither revoked nor expired and belong to an active user."""
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
