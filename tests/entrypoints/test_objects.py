"""The data plane over real sockets, with well-behaved and hostile clients."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.entrypoints.data_plane.unavailable_store import UnavailableStore
from metastore.entrypoints.objects import ObjectsApp
from metastore.ports.object_store import CompletedPart, UploadTarget
from tests.fixtures.full_device import files_limited_to
from tests.fixtures.http_server import serving, serving_beside
from tests.fixtures.waiting import eventually

KEY = "files/abc"
IDLE_TIMEOUT = 0.3


@dataclass
class DataPlane:
    """A store, its server and a client."""

    store: LocalObjectStore
    client: httpx.AsyncClient
    folder: Path

    async def begin(self, size: int) -> tuple[UploadTarget, str]:
        """Create an upload of one part, and return it with the URL of the part."""
        upload_id = await self.store.create_multipart(KEY, size=size, part_size=max(size, 1), content_type="a/b")
        target = UploadTarget(KEY, upload_id, size, max(size, 1))
        [url] = await self.store.presign_parts(target, [1], expires_in=60)
        return target, url

    async def object(self, content: bytes, content_type: str = "text/html") -> str:
        """Store an object and return its URL."""

        async def stream() -> AsyncIterator[bytes]:
            yield content

        await self.store.put(KEY, stream(), size=len(content), content_type=content_type)
        return await self.store.presign_get(KEY, filename="a.html", content_type=content_type, expires_in=60)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a raw connection."""
        return await asyncio.open_connection(self.client.base_url.host, self.client.base_url.port)

    def leftovers(self) -> list[str]:
        """Return the files that belong to no object."""
        return [path.name for path in (*self.folder.glob("uploads/*/*"), *self.folder.glob("objects/*/*/side-*"))]


class _Front:
    """Serves what is not the data plane's by ``app``, and nothing else."""

    def __init__(self, app: ObjectsApp) -> None:
        self._app = app
        self._unavailable = ObjectsApp(UnavailableStore())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._unavailable if scope["path"].startswith("/objects/") else self._app
        await app(scope, receive, send)


@pytest.fixture(params=["behind its own port", "behind the port of the API"])
async def data_plane(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DataPlane]:
    """An empty store without other origins."""
    store = LocalObjectStore(tmp_path / "store", b"k" * 32)
    app = ObjectsApp(store, idle_timeout=IDLE_TIMEOUT)
    async with AsyncExitStack() as stack:
        if request.param == "behind its own port":
            address = await stack.enter_async_context(serving(app))
        else:
            address, _, _ = await stack.enter_async_context(serving_beside(_Front(app), app))
        client = httpx.AsyncClient(base_url=address, trust_env=False, timeout=30)
        await stack.enter_async_context(client)
        yield DataPlane(store, client, tmp_path / "store")
    await store.aclose()


def code_of(response: httpx.Response) -> str:
    """Return the code of a problem document."""
    assert "application/problem+json" == response.headers["content-type"]
    code: str = response.json()["code"]
    assert response.json()["status"] == response.status_code
    return code


async def test_every_error_has_its_code(data_plane: DataPlane) -> None:
    """Clients act on codes, not on sentences."""
    target, url = await data_plane.begin(3)
    aborted, aborted_url = await data_plane.begin(3)
    await data_plane.store.abort_multipart(aborted.key, aborted.upload_id)
    read_url = await data_plane.store.presign_get("files/none", filename="a", content_type="a/b", expires_in=60)
    [expired] = await data_plane.store.presign_parts(target, [1], expires_in=0)

    async def chunked() -> AsyncIterator[bytes]:
        yield b"abc"

    put, get = data_plane.client.put, data_plane.client.get
    assert (403, "invalid-signature") == _status_and_code(await put(url + "x", content=b"abc"))
    assert (403, "invalid-signature") == _status_and_code(await put("/objects/files/abc", content=b"abc"))
    assert (403, "invalid-signature") == _status_and_code(await get("/objects/../../etc/passwd"))
    assert (403, "invalid-signature") == _status_and_code(await get("/objects/%2e%2e/%2e%2e/etc/passwd"))
    assert (403, "url-expired") == _status_and_code(await put(expired, content=b"abc"))
    assert (400, "length-mismatch") == _status_and_code(await put(url, content=b"abcd"))
    assert (411, "length-required") == _status_and_code(await put(url, content=chunked()))
    assert (404, "upload-not-found") == _status_and_code(await put(aborted_url, content=b"abc"))
    assert (404, "object-not-found") == _status_and_code(await get(read_url))
    assert (405, "method-not-allowed") == _status_and_code(await data_plane.client.post(url, content=b"abc"))
    assert [] == await data_plane.store.list_parts(target)


def _status_and_code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, code_of(response)


async def test_a_client_that_is_refused_while_sending_gets_the_response(data_plane: DataPlane) -> None:
    """Even while it is still sending megabytes. The connection can be used again."""
    _, url = await data_plane.begin(8 * 2**20)
    for _ in range(3):
        response = await data_plane.client.put(url + "x", content=bytes(8 * 2**20))
        assert 403 == response.status_code


async def test_a_client_that_expects_100_continue_is_refused_before_it_sends(data_plane: DataPlane) -> None:
    """Expect: 100-continue gets the final response at once."""
    _, url = await data_plane.begin(8 * 2**20)
    reader, writer = await data_plane.connect()
    writer.write(f"PUT {url}x HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\nExpect: 100-continue\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert b"HTTP/1.1 403 " in await reader.readline()
    writer.close()


async def test_a_client_that_disconnects_leaves_nothing(data_plane: DataPlane) -> None:
    """An incomplete part is discarded, and can be sent again at once."""
    target, url = await data_plane.begin(3 * 2**20)
    for _ in range(2):
        _, writer = await data_plane.connect()
        writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3145728\r\n\r\n".encode() + bytes(2**21))
        await writer.drain()
        writer.close()
    content = os.urandom(3 * 2**20)
    assert 200 == (await data_plane.client.put(url, content=content)).status_code
    [part] = await data_plane.store.list_parts(target)
    await data_plane.store.complete_multipart(target, [CompletedPart(1, part.etag)])
    assert content == b"".join([chunk async for chunk in data_plane.store.read(KEY)])
    await eventually(lambda: not data_plane.leftovers(), why="all incomplete parts are discarded")


async def test_a_slow_client_gets_408(data_plane: DataPlane) -> None:
    """Nothing of the part is kept."""
    target, url = await data_plane.begin(1000)
    reader, writer = await data_plane.connect()
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc".encode())
    async with asyncio.timeout(60):
        assert b"HTTP/1.1 408 " in await reader.readline()
    writer.close()
    assert [] == await data_plane.store.list_parts(target)


async def test_a_full_device_is_a_507(data_plane: DataPlane) -> None:
    """The response says that the server is full, not the account. Earlier parts are kept."""
    target, url = await data_plane.begin(2**20)
    assert 200 == (await data_plane.client.put(url, content=bytes(2**20))).status_code
    with files_limited_to(2**19):
        assert (507, "storage-full") == _status_and_code(await data_plane.client.put(url, content=os.urandom(2**20)))
    assert 1 == len(await data_plane.store.list_parts(target))
    assert 200 == (await data_plane.client.put(url, content=os.urandom(2**20))).status_code


async def test_user_content_is_never_active(data_plane: DataPlane) -> None:
    """Headers prevent an uploaded page from acting on our origin."""
    response = await data_plane.client.get(await data_plane.object(b"<script>alert(1)</script>"))
    assert 200 == response.status_code
    assert "nosniff" == response.headers["x-content-type-options"]
    assert response.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert 'attachment; filename="a.html"' == response.headers["content-disposition"]
    assert "cross-origin" == response.headers["cross-origin-resource-policy"]
    assert "no-referrer" == response.headers["referrer-policy"]
    assert "private" == response.headers["cache-control"]
    assert "text/html" == response.headers["content-type"]


async def test_every_response_has_a_request_id(data_plane: DataPlane) -> None:
    """The client's own if it is valid, otherwise a new one."""
    url = await data_plane.object(b"abc")
    for target in (url, url + "x"):
        kept = await data_plane.client.get(target, headers={"X-Request-ID": "req-1"})
        assert "req-1" == kept.headers["x-request-id"]
        replaced = await data_plane.client.get(target, headers={"X-Request-ID": "a b"})
        assert 36 == len(replaced.headers["x-request-id"])


@pytest.mark.parametrize("size", [0, 1, 2**18, 2**20, 2**20 + 1, 5 * 2**20])
async def test_objects_of_any_size_are_sent_completely(data_plane: DataPlane, size: int) -> None:
    """Small ones in one piece, large ones by direct file transfer."""
    content = os.urandom(size)
    url = await data_plane.object(content)
    whole = await data_plane.client.get(url)
    assert (200, content) == (whole.status_code, whole.content)
    assert str(size) == whole.headers["content-length"]
    if size:
        rest = await data_plane.client.get(url, headers={"Range": "bytes=1-"})
        assert (206 if size > 1 else 416) == rest.status_code
        assert size == 1 or content[1:] == rest.content
        everything = await data_plane.client.get(url, headers={"Range": "bytes=0-"})
        assert (206, content) == (everything.status_code, everything.content)


async def test_ranges_conditions_and_head_over_the_wire(data_plane: DataPlane) -> None:
    """The rules of ``conditional_requests``, over HTTP."""
    content = os.urandom(1000)
    url = await data_plane.object(content)
    whole = await data_plane.client.get(url)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    assert not etag.startswith("W/")

    async def conditional_get(**headers: str) -> httpx.Response:
        return await data_plane.client.get(
            url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    for validator in (etag, modified):
        assert 206 == (await conditional_get(range="bytes=10-19", if_range=validator)).status_code
    assert 200 == (await conditional_get(range="bytes=10-19", if_range='"other"')).status_code
    assert 200 == (await conditional_get(range="bytes=0-0,5-9")).status_code
    beyond = await conditional_get(range="bytes=1000-")
    assert (416, "invalid-range", "bytes */1000") == (*_status_and_code(beyond), beyond.headers["content-range"])
    assert 416 == (await conditional_get(range="bytes=" + ",".join(["0-0"] * 1000))).status_code
    unchanged = await conditional_get(if_none_match=etag)
    assert (304, b"", etag) == (unchanged.status_code, unchanged.content, unchanged.headers["etag"])
    assert 304 == (await conditional_get(if_modified_since=modified)).status_code
    assert (412, "precondition-failed") == _status_and_code(await conditional_get(if_match='"other"'))
    head = await data_plane.client.head(url)
    assert (200, "1000", b"") == (head.status_code, head.headers["content-length"], head.content)
    assert "bytes" == head.headers["accept-ranges"]
    missing = await data_plane.client.head(url + "x")
    assert (403, b"") == (missing.status_code, missing.content)


async def test_many_clients_read_different_parts_at_once(data_plane: DataPlane) -> None:
    """Clients do not get each other's bytes, although they share a buffer."""
    content = os.urandom(3_000_000)
    url = await data_plane.object(content)

    async def read(start: int) -> None:
        length = 200_000
        response = await data_plane.client.get(url, headers={"Range": f"bytes={start}-{start + length - 1}"})
        assert content[start : start + length] == response.content

    await asyncio.gather(*(read(start) for start in range(0, 2_800_000, 50_000)))


async def test_pages_of_other_origins_may_not_write(data_plane: DataPlane) -> None:
    """Without allowed origins there are no CORS headers for writing."""
    _, url = await data_plane.begin(3)
    preflight_headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    preflight = await data_plane.client.options(url, headers=preflight_headers)
    sent = await data_plane.client.put(url, content=b"abc", headers={"Origin": "https://evil.example"})
    for response in (preflight, sent):
        assert "access-control-allow-origin" not in response.headers


async def test_pages_of_any_origin_may_read(data_plane: DataPlane) -> None:
    """A video player works on any site. It can read errors and small ranges, too."""
    url = await data_plane.object(b"abc")
    origin = {"Origin": "https://player.example"}
    preflight = await data_plane.client.options(url, headers={**origin, "Access-Control-Request-Method": "GET"})
    assert "GET" in preflight.headers["access-control-allow-methods"]
    whole, piece = (
        await data_plane.client.get(url, headers=origin),
        await data_plane.client.get(url, headers={"Range": "bytes=1-"}),
    )
    assert (b"abc", b"bc") == (whole.content, piece.content)
    head, refused = await data_plane.client.head(url), await data_plane.client.get(url + "x")
    for response in (preflight, whole, piece, head, refused):
        assert "*" == response.headers["access-control-allow-origin"]


async def test_only_allowed_origins_may_write(data_plane: DataPlane) -> None:
    """When the data plane has its own origin, only the product's pages may write."""
    _, url = await data_plane.begin(3)
    app = ObjectsApp(data_plane.store, allowed_origins=["https://drive.example.org/", ""])
    async with serving(app) as address, httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        ours = await client.put(url, content=b"abc", headers={"Origin": "https://drive.example.org"})
        assert "https://drive.example.org" == ours.headers["access-control-allow-origin"]
        refused = await client.put(url + "x", content=b"abc", headers={"Origin": "https://drive.example.org"})
        assert "https://drive.example.org" == refused.headers["access-control-allow-origin"]
        theirs = await client.put(url, content=b"abc", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in theirs.headers
        assert "Origin" == theirs.headers["vary"]


async def test_problem_documents_keep_secrets(data_plane: DataPlane) -> None:
    """They contain no server paths, signatures or tracebacks."""
    path = urlsplit(await data_plane.object(b"abc")).path
    response = await data_plane.client.get(path + "?e=1&s=abc")
    assert {"type", "title", "status", "detail", "instance", "code"} == json.loads(response.content).keys()
    assert str(data_plane.folder) not in response.text


async def test_the_etag_completes_the_upload(data_plane: DataPlane) -> None:
    """The value in quotes is what complete expects."""
    target, url = await data_plane.begin(3)
    response = await data_plane.client.put(url, content=b"abc")
    etag = response.headers["etag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    await data_plane.store.complete_multipart(target, [CompletedPart(1, etag.strip('"'))])
