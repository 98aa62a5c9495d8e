"""Sockets of ended sessions are closed without broker and cache."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.kit.database import Database
from metastore.kit.ids import new_id
from metastore.kit.problem import unavailable
from metastore.processes.ended_sessions import EndedSessions
from tests.features.auth.house import API, PASSWORD, House
from tests.fixtures.waiting import eventually


class FakeSockets:
    """Open sockets of these sessions."""

    def __init__(self, *sessions: str) -> None:
        self.sessions = set(sessions)
        self.refusals = 0

    def open_sessions(self) -> set[str]:
        """Return the sessions with open sockets, after some failures."""
        if self.refusals:
            self.refusals -= 1
            raise unavailable("not now")
        return set(self.sessions)

    async def close_session_here(self, session_id: str) -> None:
        """Remove a session."""
        self.sessions.discard(session_id)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """Accounts and sessions on each kind of database."""
    house = House(database)
    yield house
    await house.aclose()


async def session_of(house: House, name: str) -> str:
    """Open a session of a user, who is created if necessary."""
    browser = house.browser()
    signed_in = {"username": name, "password": PASSWORD}
    if (await browser.post(f"{API}/login", json=signed_in)).status_code != 200:
        await house.register(name)
        assert 200 == (await browser.post(f"{API}/login", json=signed_in)).status_code
    sessions = (await browser.get(f"{API}/sessions")).json()["items"]
    return str(next(session["id"] for session in sessions if session["current"]))


async def test_the_sockets_of_open_sessions_stay(house: House) -> None:
    """Of several users."""
    sockets = FakeSockets(await session_of(house, "mai"), await session_of(house, "lan"))
    await EndedSessions(house.database, house.auth, sockets).poll()
    assert 2 == len(sockets.sessions)


async def test_sockets_of_sessions_that_ended_are_closed(house: House) -> None:
    """Revoked, expired, deleted or of a suspended user. The others stay open."""
    stays, revoked, suspended = [await session_of(house, name) for name in ("mai", "mai", "lan")]
    sockets = FakeSockets(stays, revoked, suspended, new_id())
    await house.set("lan", status="SUSPENDED")
    async with house.database.transaction() as tx:
        owner = (await house.auth.find(tx, "mai")) or pytest.fail("mai is gone")
        await house.auth.sign_out(tx, owner.id, revoked)
    watch = EndedSessions(house.database, house.auth, sockets)
    await watch.poll()
    assert {stays} == sockets.sessions
    house.clock.forward(8 * 24 * 3600)
    await watch.poll()
    assert set() == sockets.sessions


async def test_polling_continues_after_a_failure(house: House) -> None:
    """The database may be unavailable for a while."""
    sockets = FakeSockets(new_id())
    sockets.refusals = 3
    watching = asyncio.create_task(EndedSessions(house.database, house.auth, sockets, every=0.01).run())
    await eventually(lambda: not sockets.sessions)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
