"""Sockets of ended sessions are closed, even without a broker and a cache."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import unavailable
from metastore.processes.ended_sessions import EndedSessions
from tests.features.auth.auth_app import API, PASSWORD, AuthApp
from tests.fixtures.waiting import eventually


class FakeSockets:
    """Fake sockets that are open for the given sessions."""

    def __init__(self, *sessions: str) -> None:
        self.sessions = set(sessions)
        self.refusals = 0
        self.polls = 0

    async def wait_for_any(self) -> None:
        """Wait until a session has a socket."""
        await eventually(lambda: self.sessions)

    def open_sessions(self) -> set[str]:
        """Return the sessions with open sockets, after some failures."""
        self.polls += 1
        if self.refusals:
            self.refusals -= 1
            raise unavailable("not now")
        return set(self.sessions)

    async def close_local_session(self, session_id: str) -> None:
        """Remove a session."""
        self.sessions.discard(session_id)


@pytest.fixture
async def app(database: Database) -> AsyncIterator[AuthApp]:
    """Accounts and sessions on each kind of database."""
    app = AuthApp(database)
    yield app
    await app.aclose()


async def session_of(app: AuthApp, name: str) -> str:
    """Open a session of a user, who is created if necessary."""
    browser = app.browser()
    signed_in = {"username": name, "password": PASSWORD}
    if (await browser.post(f"{API}/login", json=signed_in)).status_code != 200:
        await app.register(name)
        assert 200 == (await browser.post(f"{API}/login", json=signed_in)).status_code
    sessions = (await browser.get(f"{API}/sessions")).json()["items"]
    return str(next(session["id"] for session in sessions if session["current"]))


async def test_the_sockets_of_open_sessions_stay(app: AuthApp) -> None:
    """Here those of two users."""
    sockets = FakeSockets(await session_of(app, "mai"), await session_of(app, "lan"))
    await EndedSessions(app.database, app.auth, sockets).poll()
    assert 2 == len(sockets.sessions)


async def test_sockets_of_sessions_that_ended_are_closed(app: AuthApp) -> None:
    """Revoked, expired, deleted or of a suspended user. The others stay open."""
    stays, revoked, suspended = [await session_of(app, name) for name in ("mai", "mai", "lan")]
    sockets = FakeSockets(stays, revoked, suspended, new_id())
    await app.set("lan", status="SUSPENDED")
    async with app.database.transaction() as tx:
        owner = (await app.auth.find(tx, "mai")) or pytest.fail("mai is gone")
        await app.auth.sign_out(tx, owner.id, revoked)
    watch = EndedSessions(app.database, app.auth, sockets)
    await watch.poll()
    assert {stays} == sockets.sessions
    app.clock.forward(8 * 24 * 3600)
    await watch.poll()
    assert set() == sockets.sessions


async def test_polling_continues_after_a_failure(app: AuthApp) -> None:
    """The database may be unavailable for a while."""
    sockets = FakeSockets(new_id())
    sockets.refusals = 3
    watching = asyncio.create_task(EndedSessions(app.database, app.auth, sockets, every=0.01).run())
    await eventually(lambda: not sockets.sessions)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_nothing_is_polled_while_no_socket_is_open(app: AuthApp) -> None:
    """The first socket starts it."""
    sockets = FakeSockets()
    watching = asyncio.create_task(EndedSessions(app.database, app.auth, sockets, every=0).run())
    for _ in range(100):
        await asyncio.sleep(0)
    assert 0 == sockets.polls
    sockets.sessions.add(new_id())
    await eventually(lambda: sockets.polls and not sockets.sessions)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
