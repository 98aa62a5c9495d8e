"""Archives over HTTP, on the embedded store and on S3: headers, conditions, ranges, and resuming."""

import asyncio
import hashlib
import io
import os
import subprocess
import zipfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from metastore.entrypoints.serve import build_asgi
from metastore.features.files.models import Node
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.problems.problem import storage_full
from tests.fixtures.http_server import serving
from tests.fixtures.product import Client, Running, running
from tests.fixtures.seaweedfs import S3Server

API = "/api/v1"


@dataclass
class App:
    """A running product, a signed-in user, and a client without cookies."""

    product: Running
    user: Client
    anyone: Client

    async def folder(self, name: str, parent: str | None = None) -> str:
        """Create a folder and return its ID."""
        body = {"name": name, "parentId": parent}
        return str((await self.user.json_of("POST", f"{API}/folders", 201, json=body))["id"])

    async def upload(self, path: str, name: str, content: bytes) -> str:
        """Upload a small file and return its ID."""
        form = {"files": {"file": (name, content, "text/plain")}, "data": {"path": path}}
        return str((await self.user.json_of("POST", f"{API}/files/upload", 201, **form))["file"]["id"])

    async def multipart(self, name: str, content: bytes) -> str:
        """Upload a file as multipart upload of one part and return its ID."""
        body = {"name": name, "path": "/", "size": len(content), "mimeType": "application/octet-stream"}
        begun = await self.user.json_of("POST", f"{API}/files/chunked-upload/initiate", 201, json=body)
        [url] = begun["uploadUrls"]
        async with httpx.AsyncClient(base_url=str(self.user.base_url), trust_env=False) as store:
            part = await store.put(url, content=content)
        assert part.status_code == 200, part.text
        parts = [{"partNumber": 1, "etag": part.headers["etag"]}]
        done = {"fileId": begun["fileId"], "uploadId": begun["uploadId"], "parts": parts}
        await self.user.json_of("POST", f"{API}/files/chunked-upload/complete", 200, json=done)
        return str(begun["fileId"])

    async def url_of(self, *ids: str) -> str:
        """Return the URL of the archive of a selection."""
        return str((await self.user.json_of("POST", f"{API}/archives", 201, json={"ids": ids}))["url"])

    async def column(self, file_id: str, name: str) -> object:
        """Return a column of a node."""
        async with self.product.product.database.reading() as tx:
            return await tx.session.scalar(select(getattr(Node, name)).where(Node.id == file_id))


@pytest.fixture(params=["local", "s3"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[App]:
    """Run on the embedded store and on a real S3 server."""
    settings: dict[str, object] = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("seaweedfs")
        settings = {
            "storage_url": f"s3://archives-{os.getpid()}?endpoint={server.endpoint}",
            "s3_access_key_id": server.access_key,
            "s3_secret_access_key": server.secret_key,
        }
    async with (
        running(tmp_path / "data", **settings) as product,
        serving(build_asgi(product.product)) as address,
        Client(base_url=address, trust_env=False, timeout=30) as user,
        Client(base_url=address, trust_env=False, timeout=30) as anyone,
    ):
        account = {"username": "vera", "email": "vera@example.org", "password": "correct horse battery staple"}
        await user.json_of("POST", f"{API}/auth/register", 201, json=account)
        await user.json_of("POST", f"{API}/auth/login", json=account)
        yield App(product, user, anyone)


async def a_tree(app: App) -> str:
    """Create a folder with some files, and return its ID."""
    top = await app.folder("Tài liệu")
    await app.folder("empty", top)
    for number in range(5):
        await app.upload("/Tài liệu/sub", f"file {number}.txt", os.urandom(100_000 * number))
    return top


async def test_the_url_alone_downloads_the_announced_archive(app: App, tmp_path: Path) -> None:
    top = await a_tree(app)
    made = await app.user.json_of("POST", f"{API}/archives", 201, json={"ids": [top]})
    assert set(made) == {"url", "name", "size", "expiresAt"}
    assert made["name"] == "Tài liệu.zip"
    response = await app.anyone.get(made["url"])
    assert response.status_code == 200
    assert len(response.content) == made["size"] == int(response.headers["content-length"])
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-disposition"].endswith("filename*=UTF-8''T%C3%A0i%20li%E1%BB%87u.zip")
    file = tmp_path / "tree.zip"
    file.write_bytes(response.content)
    tested = await asyncio.to_thread(subprocess.run, ["unzip", "-tq", str(file)], check=False)
    assert tested.returncode == 0
    head = await app.anyone.head(made["url"])
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "last-modified", "content-type", "content-disposition"):
        assert head.headers[name] == response.headers[name]


async def test_a_cut_download_is_resumed_to_the_same_bytes(app: App) -> None:
    url = await app.url_of(await a_tree(app))
    whole = (await app.anyone.get(url)).content
    got = b""
    async with app.anyone.stream("GET", url) as response:
        etag = response.headers["etag"]
        async for chunk in response.aiter_raw():
            got += chunk
            if len(got) > 0.4 * len(whole):
                break
    resumed = await app.anyone.get(url, headers={"Range": f"bytes={len(got)}-", "If-Range": etag})
    assert resumed.status_code == 206
    assert resumed.headers["content-range"] == f"bytes {len(got)}-{len(whole) - 1}/{len(whole)}"
    assert hashlib.sha256(got + resumed.content).digest() == hashlib.sha256(whole).digest()


async def test_a_changed_folder_starts_afresh(app: App) -> None:
    url = await app.url_of(await a_tree(app))
    etag = (await app.anyone.head(url)).headers["etag"]
    await app.upload("/Tài liệu", "new.txt", b"new")
    resumed = await app.anyone.get(url, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert resumed.status_code == 200
    assert resumed.headers["etag"] != etag
    assert "Tài liệu/new.txt" in zipfile.ZipFile(io.BytesIO(resumed.content)).namelist()
    refused = {"Range": "bytes=1000-", "If-Match": etag}
    assert await app.anyone.problem_of("GET", url, 412, headers=refused) == "precondition-failed"


async def test_conditions_and_ranges_follow_http(app: App) -> None:
    url = await app.url_of(await app.upload("/", "one.txt", b"1" * 500))
    whole = await app.anyone.get(url)
    etag, date, size = whole.headers["etag"], whole.headers["last-modified"], len(whole.content)

    async def got(**headers: str) -> httpx.Response:
        return await app.anyone.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    assert (await got(If_None_Match=etag)).status_code == 304
    assert (await got(If_Match=etag)).content == whole.content
    assert (await got(If_Modified_Since=date)).status_code == 200
    assert (await got(Range="bytes=5-9")).content == whole.content[5:10]
    assert (await got(Range="bytes=-7")).content == whole.content[-7:]
    assert (await got(Range="bytes=0-1,5-6")).status_code == 200
    assert (await got(Range="bytes=5-9", If_Range=etag)).status_code == 206
    assert (await got(Range="bytes=5-9", If_Range=date)).status_code == 200
    assert (await got(Range="bytes=5-9", If_Range='"other"')).status_code == 200
    beyond = await got(Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    partial = await app.anyone.head(url, headers={"Range": "bytes=5-9"})
    assert (partial.status_code, partial.headers["content-length"], partial.content) == (206, "5", b"")


async def test_what_is_not_the_owners_is_not_found(app: App) -> None:
    file = await app.upload("/", "one.txt", b"1")
    url = await app.url_of(file)
    assert await app.anyone.problem_of("POST", f"{API}/archives", 401, json={"ids": [file]}) == "not-authenticated"
    stranger = await app.product.signed_in()
    assert await stranger.problem_of("POST", f"{API}/archives", 404, json={"ids": [file]}) == "not-found"
    assert await app.user.problem_of("POST", f"{API}/archives", 422, json={"ids": []}) == "validation-failed"
    assert await app.user.problem_of("POST", f"{API}/archives", 422, json={"ids": [file] * 301}) == "validation-failed"
    assert await app.anyone.problem_of("GET", f"{url[:-1]}{'A' if url[-1] != 'A' else 'Q'}", 404) == "not-found"
    await app.user.json_of("DELETE", f"{API}/files/{file}", 204)
    assert await app.anyone.problem_of("GET", url, 404) == "not-found"


async def test_a_download_is_recorded_and_works_on_a_full_disk(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await app.upload("/", "one.txt", b"1")
    await app.url_of(file)
    database = app.product.product.database
    async with database.reading() as tx:
        statement = select(OutboxEvent).where(OutboxEvent.event_type == "archive.downloaded")
        [event] = await tx.session.scalars(statement)
    assert (event.payload["name"], event.payload["nodeIds"], event.payload["count"]) == ("one.txt.zip", [file], 1)

    def full() -> None:
        raise storage_full()

    monkeypatch.setattr(database, "transaction", full)
    assert (await app.anyone.get(await app.url_of(file))).status_code == 200


async def test_the_crc_is_known_since_a_small_upload_or_since_the_first_archive(app: App) -> None:
    small = await app.upload("/", "small.txt", b"small")
    assert await app.column(small, "crc32") == zlib.crc32(b"small")
    content = os.urandom(700_000)
    large = await app.multipart("large.bin", content)
    assert await app.column(large, "crc32") is None
    url = await app.url_of(large)
    first, second = [await app.anyone.get(url), await app.anyone.get(url)]
    assert await app.column(large, "crc32") == zlib.crc32(content)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]


async def test_a_download_is_aborted_and_not_completed_when_bytes_are_gone(app: App) -> None:
    first = await app.upload("/", "a.bin", os.urandom(600_000))
    second = await app.upload("/", "b.bin", os.urandom(600_000))
    url = await app.url_of(first, second)
    await app.product.product.store.delete([str(await app.column(second, "object_key"))])
    received = 0
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012  the connection is closed while reading
        async with app.anyone.stream("GET", url) as response:
            assert response.status_code == 200
            async for chunk in response.aiter_raw():
                received += len(chunk)
    assert 0 < received < int(response.headers["content-length"])
