"""A request that is refused before the end of its body still gets its response."""

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
    batch_upload,
    files_of,
    new_user,
    simple_upload,
    some_bytes,
    usage_of,
)

MIB = 2**20


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product that accepts simple uploads of up to 1 MiB."""
    with running_metastore(tmp_path_factory.mktemp("bodies"), MAX_SIMPLE_UPLOAD_SIZE=str(MIB)) as product:
        yield product


@pytest.mark.parametrize("size", [2 * MIB, 40 * MIB])
async def test_a_file_over_the_size_limit_is_refused(product: MetastoreProcess, size: int) -> None:
    """The client gets the 413 however much of the body is still to be sent."""
    async with new_user(product.address) as client:
        for _ in range(3):
            response = await simple_upload(client, bytes(size))
            assert (response.status_code, response.json()["code"]) == (413, "body-too-large")
        assert (await simple_upload(client, bytes(1000))).status_code == 201


async def test_a_body_sent_without_a_session_gets_its_response(product: MetastoreProcess) -> None:
    """The 401 or 413 is sent before the end of the body, and the client receives it."""
    async with anonymous_client(product.address) as anonymous:
        assert (await simple_upload(anonymous, bytes(MIB // 2))).status_code == 401
        json = {"content": b"[" + b" " * 30 * MIB + b"]", "headers": {"Content-Type": "application/json"}}
        assert (await anonymous.post("/api/v1/folders", **json)).status_code in (401, 413)  # type: ignore[arg-type]  # the dict mixes types


async def test_a_part_cut_off_in_the_middle_leaves_nothing(product: MetastoreProcess) -> None:
    """A client that disconnects while it sends a part stores none, and the part can be sent again."""
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


async def test_a_batch_cut_off_in_the_middle_stores_nothing(product: MetastoreProcess) -> None:
    """Not even the files that had arrived whole; what an earlier batch stored stays, and the quota is exact."""
    async with new_user(product.address) as client:
        kept = await batch_upload(client, [some_bytes(1000) for _ in range(3)])
        assert ["file"] * 3 == [key for item in kept.json()["items"] for key in item if key != "name"]
        parts = [("file", (f"{number}.bin", some_bytes(10_000))) for number in range(100)]
        request = client.build_request("POST", "/api/v1/files/upload-batch", files=parts)
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        body = request.read()
        for share in (0.1, 0.5, 0.999):
            _, writer = await asyncio.open_connection("127.0.0.1", product.port)
            writer.write(f"POST /api/v1/files/upload-batch HTTP/1.1\r\n{head}\r\n".encode())
            writer.write(body[: int(len(body) * share)])
            await writer.drain()
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
        # A later batch is stored as ever.
        await batch_upload(client, [some_bytes(500)])
        assert 4 == len(await files_of(client))
        assert Usage(3500, 0) == await usage_of(client)


async def test_a_false_content_length_cannot_smuggle_a_request(product: MetastoreProcess) -> None:
    """Conflicting lengths and invalid chunks are refused, and the bytes after them are not read as a request."""
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

        async def unchanged() -> bool:
            return await usage_of(client) == Usage(0, 0)

        await eventually(unchanged, why="the user's storage is unchanged")
