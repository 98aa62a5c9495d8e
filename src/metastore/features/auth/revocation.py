"""Ending sessions before their time, and saying so: open sockets are closed by the fact."""

from datetime import datetime

from metastore.features.auth import repository
from metastore.features.auth.events import SessionRevoked
from metastore.kit.database import Transaction


async def end_session(tx: Transaction, user_id: str, session_id: str, reason: str, now: datetime) -> bool:
    """End this session of the user; ``False`` when there is none that is open."""
    ended = await repository.revoke(tx, user_id=user_id, reason=reason, now=now, session_id=session_id)
    return _record(tx, user_id, ended, reason)


async def end_other_sessions(tx: Transaction, user_id: str, kept_id: str, reason: str, now: datetime) -> bool:
    """End all the user's sessions but one; ``False`` when there was no other."""
    ended = await repository.revoke(tx, user_id=user_id, reason=reason, now=now, except_session_id=kept_id)
    return _record(tx, user_id, ended, reason)


def _record(tx: Transaction, user_id: str, ended: list[str], reason: str) -> bool:
    for session_id in ended:
        tx.record(SessionRevoked(user_id=user_id, session_id=session_id, reason=reason))
    return bool(ended)
