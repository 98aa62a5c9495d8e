"""Request bodies rejected before their end: the client still gets the response."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    Sending,
    Usage,
    anonymous_client,
    files_of,
    new_user,
    some_bytes,
    usage_of,
    whole,
)

MIB = 2**20


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product that takes whole files of up to 1 MiB."""
    with running_metastore(tmp_path_factory.mktemp("bodies"), MAX_SIMPLE_UPLOAD_SIZE=str(MIB)) as product:
        yield product


@pytest.mark.parametrize("size", [2 * MIB, 40 * MIB])
async def test_a_file_beyond_the_limit_is_told_so(product: MetastoreProcess, size: int) -> None:
    """However much more is under way."""
    async with new_user(product.address) as client:
        for _ in range(3):
            response = await whole(client, bytes(size))
            assert (response.status_code, response.json()["code"]) == (413, "body-too-large")
        assert (await whole(client, bytes(1000))).status_code == 201


async def test_a_body_of_the_signed_out_is_answered_too(product: MetastoreProcess) -> None:
    """401 or 403 comes before the body, and is seen."""
    async with anonymous_client(product.address) as anybody:
        assert (await whole(anybody, bytes(MIB // 2))).status_code == 401
        json = {"content": b"[" + b" " * 30 * MIB + b"]", "headers": {"Content-Type": "application/json"}}
        assert (await anybody.post("/api/v1/folders", **json)).status_code in (401, 413)  # type: ignore[arg-type]  # the dict mixes types


async def test_a_part_cut_off_in_the_middle_leaves_nothing(product: MetastoreProcess) -> None:
    """A client that vanishes while sending costs no part, no space and no other client its response."""
    async with new_user(product.address) as client:
        sending = await Sending.begin(client, some_bytes(3 * MIB))
        host, port = "127.0.0.1", product.port
        path = sending.urls[0].removeprefix(product.address)
        for _ in range(5):
            _, writer = await asyncio.open_connection(host, port)
            head = f"PUT {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {3 * MIB}\r\n\r\n"
            writer.write(head.encode() + sending.content[:MIB])
            await writer.drain()
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
        assert await sending.state() == {}
        assert (await sending.put(1)).status_code == 200
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()


async def test_a_length_that_lies_smuggles_nothing_in(product: MetastoreProcess) -> None:
    """Two lengths, a length beside chunks, a bad chunk: refused, and what follows is no request of its own."""
    async with new_user(product.address) as client:
        before = await files_of(client)
        smuggled = f"DELETE /api/v1/trash HTTP/1.1\r\nHost: 127.0.0.1:{product.port}\r\n\r\n"
        heads = [
            "Content-Length: 5\r\nContent-Length: 6",
            f"Content-Length: {len(smuggled)}\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding : chunked",
            "Content-Length: -1",
            "Content-Length: +5",
            "Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        ]
        for head in heads:
            reader, writer = await asyncio.open_connection("127.0.0.1", product.port)
            request = (
                f"POST /api/v1/folders HTTP/1.1\r\nHost: 127.0.0.1:{product.port}\r\n{head}\r\n\r\n0\r\n\r\n{smuggled}"
            )
            writer.write(request.encode())
            responded = b""
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(3):
                    responded = await reader.read(65536)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            first = responded.split(b"\r\n")[0]
            assert not first.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), f"{head!r}: {first!r}"
        assert await files_of(client) == before

        async def fine() -> bool:
            return await usage_of(client) == Usage(0, 0)

        await eventually(fine, why="the server is as it was")
