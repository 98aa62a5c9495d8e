"""Revoking sessions. The recorded event closes their sockets."""

from datetime import datetime

from metastore.features.auth import repository
from metastore.features.auth.events import SessionRevoked
from metastore.kit.database.unit_of_work import Transaction


async def revoke_session(tx: Transaction, user_id: str, session_id: str, reason: str, now: datetime) -> bool:
    """Revoke the user's session; return ``False`` if it is not active."""
    revoked = await repository.revoke(tx, user_id=user_id, reason=reason, now=now, session_id=session_id)
    return _record(tx, user_id, revoked, reason)


async def revoke_other_sessions(tx: Transaction, user_id: str, kept_id: str, reason: str, now: datetime) -> bool:
    """Revoke all sessions of the user but one; return ``False`` if there is no other."""
    revoked = await repository.revoke(tx, user_id=user_id, reason=reason, now=now, except_session_id=kept_id)
    return _record(tx, user_id, revoked, reason)


def _record(tx: Transaction, user_id: str, revoked: list[str], reason: str) -> bool:
    for session_id in revoked:
        tx.record(SessionRevoked(user_id=user_id, session_id=session_id, reason=reason))
    return bool(revoked)
