"""Graceful shutdown, and headers of the server."""

import asyncio
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from starlette.responses import PlainTextResponse

from deploy.local.ports import free_port
from metastore.entrypoints.server import HttpServer
from metastore.kit.clock import utc_now
from tests.fixtures.waiting import eventually


async def test_connections_made_before_shutdown_are_served() -> None:
    """A connection made just before the server stops can still send its request and gets the response."""
    port = free_port()
    server = HttpServer(PlainTextResponse("here you are"), host="127.0.0.1", port=port)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.is_listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    server.stop()

    async def refuses() -> bool:
        try:
            _, late = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return True
        late.close()
        return False

    await eventually(refuses, interval=0.005)
    writer.write(b"GET / HTTP/1.1\r\nHost: drive\r\n\r\n")
    response = await asyncio.wait_for(reader.read(), 60)
    assert response.startswith(b"HTTP/1.1 200")
    assert response.endswith(b"here you are")
    writer.close()
    await asyncio.wait_for(serving, 60)


async def test_each_response_has_the_current_date() -> None:
    """In seconds, however long the server has been idle."""
    port = free_port()
    server = HttpServer(PlainTextResponse("here you are"), host="127.0.0.1", port=port)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.is_listening)
    dates: set[datetime] = set()

    async def has_moved_on() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: drive\r\nConnection: close\r\n\r\n")
        response = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        (line,) = (line for line in response.split(b"\r\n") if line.startswith(b"date: "))
        dates.add(parsedate_to_datetime(line.removeprefix(b"date: ").decode()))
        assert abs(max(dates) - utc_now()) < timedelta(seconds=30)
        return len(dates) > 1

    await eventually(has_moved_on)
    server.stop()
    await asyncio.wait_for(serving, 60)
