"""Closing the sockets of sessions that have ended, whoever ended them and whatever else is down.

Who ends a session records a fact, and a consumer of that fact closes the session's sockets at once, in all processes.
That needs a broker and a cache. This is the net below: every process that serves sockets asks the database, in one
statement each time, which of their sessions are still open, so that revocation does not wait for anything but the
database.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

import structlog

from metastore.features.auth.service import AuthService
from metastore.kit.database import Database

EVERY = 2.0
BATCH = 1000
_log = structlog.get_logger(__name__)


class Sockets(Protocol):
    """The open sockets of this process."""

    def open_sessions(self) -> Collection[str]:
        """The sign-in sessions under which they were opened."""
        ...

    async def close_session_here(self, session_id: str) -> None:
        """Disconnect those of a session."""
        ...


class EndedSessions:
    """Looks every ``every`` seconds."""

    def __init__(self, database: Database, auth: AuthService, sockets: Sockets, *, every: float = EVERY) -> None:
        self._database = database
        self._auth = auth
        self._sockets = sockets
        self._every = every

    async def run(self) -> None:
        """Look again and again until cancelled; a look that fails is made up for by the next."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  the database may be away for a while
                _log.warning("sessions of open sockets cannot be looked up", error=repr(error))

    async def look(self) -> None:
        """Close the sockets of sessions that have ended."""
        sessions = sorted(self._sockets.open_sessions())
        for start in range(0, len(sessions), BATCH):
            async with self._database.reading() as tx:
                ended = await self._auth.ended_among(tx, sessions[start : start + BATCH])
            for session_id in ended:
                await self._sockets.close_session_here(session_id)
