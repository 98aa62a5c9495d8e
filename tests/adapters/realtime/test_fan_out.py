"""Messages reach the sockets of several processes through Redis."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from metastore.adapters.realtime.fan_out import RedisFanOut
from metastore.adapters.realtime.socketio import SocketIoRealtime
from tests.fixtures.redis import RedisDatabases, RedisServer, killable_redis
from tests.fixtures.sockets import Endpoint, served_sockets
from tests.fixtures.waiting import eventually

__all__ = ["killable_redis"]


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[tuple[Endpoint, Endpoint]]:
    """Yield two processes that serve sockets, each with a socket of user ``anna`` in session ``phone``."""
    async with AsyncExitStack() as stack:
        endpoints = [await stack.enter_async_context(served_sockets(fan_out=RedisFanOut(url))) for _ in range(2)]
        for endpoint in endpoints:
            endpoint.authenticator.sign_in("phone", "anna")
            assert endpoint.realtime.fan_out is not None
            await asyncio.wait_for(endpoint.realtime.fan_out.is_listening.wait(), 5)
        yield endpoints[0], endpoints[1]


@asynccontextmanager
async def worker_process(url: str) -> AsyncIterator[SocketIoRealtime]:
    """Yield a process that serves no sockets."""
    worker = SocketIoRealtime(fan_out=RedisFanOut(url, write_only=True))
    yield worker
    await worker.aclose()


async def test_a_message_reaches_each_socket_of_the_user_once(redis: RedisDatabases) -> None:
    """It may be sent by a process that serves sockets or by a worker."""
    url = redis.new_url()
    async with (
        two_processes(url) as (here, there),
        worker_process(url) as worker,
        here.client("phone") as at_here,
        there.client("phone") as at_there,
    ):
        await here.realtime.emit_to_user("anna", "first", {"n": 1})
        await worker.emit_to_user("anna", "second", {"n": 2})
        await worker.emit_to_user("ben", "secret", {})
        await worker.emit_to_user("anna", "last", {"n": 3})
        expected = [("first", {"n": 1}), ("second", {"n": 2}), ("last", {"n": 3})]
        await eventually(lambda: expected == at_here.received and expected == at_there.received)


@pytest.mark.parametrize("by", ["session", "user"])
async def test_sockets_are_closed_in_every_process(redis: RedisDatabases, by: str) -> None:
    """They are closed by a worker that serves none; sockets of other users stay open."""
    url = redis.new_url()
    async with two_processes(url) as (here, there), worker_process(url) as worker:
        there.authenticator.sign_in("desk", "ben")
        async with here.client("phone") as at_here, there.client("phone") as at_there, there.client("desk") as bens:
            assert {"phone-session", "desk-session"} == there.realtime.open_sessions()
            if by == "session":
                await worker.close_session("phone-session")
            else:
                await worker.close_user("anna")
            await asyncio.wait_for(at_here.disconnected_by_server.wait(), 5)
            await asyncio.wait_for(at_there.disconnected_by_server.wait(), 5)
            assert not bens.disconnected_by_server.is_set()
            await eventually(lambda: {"desk-session"} == there.realtime.open_sessions())


async def test_a_hanging_redis_does_not_delay_messages(killable_redis: RedisServer) -> None:
    """Messages are dropped instead of waiting for one timeout after another."""
    async with worker_process(killable_redis.new_url()) as worker:
        await worker.emit_to_user("anna", "first", {})
        with killable_redis.hanging():
            began = time.monotonic()
            for _ in range(50):
                await worker.emit_to_user("anna", "dropped", {})
            assert time.monotonic() - began < 5


async def test_local_sockets_are_reached_without_redis(killable_redis: RedisServer) -> None:
    """Nothing fails; once Redis recovers, messages reach the other process again."""
    async with (
        two_processes(killable_redis.new_url()) as (here, there),
        here.client("phone") as at_here,
        there.client("phone") as at_there,
    ):
        killable_redis.kill()
        await here.realtime.emit_to_user("anna", "alone", {})
        await eventually(lambda: [("alone", {})] == at_here.received)
        killable_redis.start()

        async def received_by_other() -> bool:
            await here.realtime.emit_to_user("anna", "again", {})
            return ("again", {}) in at_there.received

        await eventually(received_by_other, timeout=10, interval=0.2)
