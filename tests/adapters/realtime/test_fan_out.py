"""Sockets of several processes, joined by a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from metastore.adapters.realtime.fan_out import RedisFanOut
from metastore.adapters.realtime.socketio import SocketIoRealtime
from tests.fixtures.redis import RedisServer, mortal_redis, redis
from tests.fixtures.sockets import Endpoint, served_sockets
from tests.fixtures.waiting import eventually

__all__ = ["mortal_redis", "redis"]


@asynccontextmanager
async def joined(url: str) -> AsyncIterator[tuple[Endpoint, Endpoint]]:
    """Two processes that serve sockets, and ``anna`` signed in by ``phone`` at each."""
    async with AsyncExitStack() as open_ones:
        endpoints = [await open_ones.enter_async_context(served_sockets(fan_out=RedisFanOut(url))) for _ in range(2)]
        for endpoint in endpoints:
            endpoint.doorman.sign_in("phone", "anna")
            assert endpoint.realtime.fan_out is not None
            await asyncio.wait_for(endpoint.realtime.fan_out.is_listening.wait(), 5)
        yield endpoints[0], endpoints[1]


@asynccontextmanager
async def a_worker(url: str) -> AsyncIterator[SocketIoRealtime]:
    """A process that serves no sockets."""
    worker = SocketIoRealtime(fan_out=RedisFanOut(url, write_only=True))
    yield worker
    await worker.aclose()


async def test_a_message_reaches_the_users_sockets_at_every_process_once(redis: RedisServer) -> None:
    """Whether it comes from a process that serves sockets or from a worker."""
    url = redis.new_url()
    async with (
        joined(url) as (here, there),
        a_worker(url) as worker,
        here.client("phone") as at_here,
        there.client("phone") as at_there,
    ):
        await here.realtime.emit_to_user("anna", "first", {"n": 1})
        await worker.emit_to_user("anna", "second", {"n": 2})
        await worker.emit_to_user("ben", "secret", {})
        await worker.emit_to_user("anna", "last", {"n": 3})
        heard = [("first", {"n": 1}), ("second", {"n": 2}), ("last", {"n": 3})]
        await eventually(lambda: heard == at_here.heard and heard == at_there.heard)


@pytest.mark.parametrize("by", ["session", "user"])
async def test_sockets_are_closed_at_every_process(redis: RedisServer, by: str) -> None:
    """By a worker that serves none; sockets of others stay."""
    url = redis.new_url()
    async with joined(url) as (here, there), a_worker(url) as worker:
        there.doorman.sign_in("desk", "ben")
        async with here.client("phone") as at_here, there.client("phone") as at_there, there.client("desk") as bens:
            assert {"phone-session", "desk-session"} == there.realtime.open_sessions()
            if by == "session":
                await worker.close_session("phone-session")
            else:
                await worker.close_user("anna")
            await asyncio.wait_for(at_here.sent_away.wait(), 5)
            await asyncio.wait_for(at_there.sent_away.wait(), 5)
            assert not bens.sent_away.is_set()
            await eventually(lambda: {"desk-session"} == there.realtime.open_sessions())


async def test_a_redis_that_hangs_does_not_hold_up_messages(mortal_redis: RedisServer) -> None:
    """They are dropped, and do not queue up for their timeouts."""
    async with a_worker(mortal_redis.new_url()) as worker:
        await worker.emit_to_user("anna", "first", {})
        with mortal_redis.hanging():
            began = time.monotonic()
            for _ in range(50):
                await worker.emit_to_user("anna", "dropped", {})
            assert time.monotonic() - began < 5


async def test_without_redis_a_process_still_reaches_its_own_sockets(mortal_redis: RedisServer) -> None:
    """Nothing fails; once Redis is back, the other process is heard again."""
    async with (
        joined(mortal_redis.new_url()) as (here, there),
        here.client("phone") as at_here,
        there.client("phone") as at_there,
    ):
        mortal_redis.kill()
        await here.realtime.emit_to_user("anna", "alone", {})
        await eventually(lambda: [("alone", {})] == at_here.heard)
        mortal_redis.start()

        async def heard_there() -> bool:
            await here.realtime.emit_to_user("anna", "again", {})
            return ("again", {}) in at_there.heard

        await eventually(heard_there, timeout=10, interval=0.2)
