"""Graceful shutdown."""

import asyncio

from starlette.responses import PlainTextResponse

from deploy.local.ports import free_port
from metastore.entrypoints.server import HttpServer
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
