"""Closing the sockets of revoked sessions during outages of broker and cache.

Normally a consumer of the revocation event closes the sockets in all processes at once. That needs the broker and the
cache. As a fallback, every process with open sockets polls the database for sessions that have ended, so that
revocation depends on nothing but the database.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

import structlog

from metastore.features.auth.service import AuthService
from metastore.kit.database.unit_of_work import Database

EVERY = 2.0
BATCH = 1000
_log = structlog.get_logger(__name__)


class Sockets(Protocol):
    """The open sockets of this process."""

    async def wait_for_any(self) -> None:
        """Return as soon as there is an open connection."""
        ...

    def open_sessions(self) -> Collection[str]:
        """Return the ids of the sessions that have open sockets."""
        ...

    async def close_local_session(self, session_id: str) -> None:
        """Disconnect the sockets of a session."""
        ...


class EndedSessions:
    """Closes the sockets of ended sessions. Polls the database every ``every`` seconds while any are open."""

    def __init__(self, database: Database, auth: AuthService, sockets: Sockets, *, every: float = EVERY) -> None:
        self._database = database
        self._auth = auth
        self._sockets = sockets
        self._every = every

    async def run(self) -> None:
        """Poll until cancelled. Errors are logged."""
        while True:
            await self._sockets.wait_for_any()
            await asyncio.sleep(self._every)
            try:
                await self.poll()
            except Exception as error:  # noqa: BLE001  polling must survive a database outage
                _log.warning("cannot poll for ended sessions", error=repr(error))

    async def poll(self) -> None:
        """Close the sockets of sessions that have ended."""
        sessions = sorted(self._sockets.open_sessions())
        for start in range(0, len(sessions), BATCH):
            async with self._database.reading() as tx:
                ended = await self._auth.inactive_among(tx, sessions[start : start + BATCH])
            for session_id in ended:
                await self._sockets.close_local_session(session_id)
