"""Users of a running product, their files, and multipart uploads at any stage."""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from metastore.kit.ids import new_id
from tests.fixtures.process import ADMIN_PASSWORD
from tests.fixtures.product import PASSWORD, Client

UPLOADS = "/api/v1/files/chunked-upload"
TIMEOUT_SECONDS = 30.0
"""Time limit of a request in seconds; the machine may be busy with other tests."""


@asynccontextmanager
async def anonymous_client(address: str) -> AsyncIterator[Client]:
    """Yield a client without a session."""
    async with aclosing(Client(base_url=address, timeout=TIMEOUT_SECONDS)) as client:
        yield client


@asynccontextmanager
async def new_user(address: str) -> AsyncIterator[Client]:
    """Yield a client signed in as a new user."""
    async with anonymous_client(address) as client:
        username = f"user-{new_id()[-12:]}"
        account = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
        await client.json_of("POST", "/api/v1/auth/register", 201, json=account)
        await sign_in(client, username, PASSWORD)
        yield client


@asynccontextmanager
async def the_admin(address: str) -> AsyncIterator[Client]:
    """Yield a client signed in as the first admin."""
    async with anonymous_client(address) as client:
        await sign_in(client, "admin", ADMIN_PASSWORD)
        yield client


async def sign_in(client: Client, username: str, password: str) -> None:
    """Open a session on ``client``."""
    await client.json_of("POST", "/api/v1/auth/login", json={"username": username, "password": password})


@dataclass(frozen=True)
class Usage:
    """A user's storage counters, in bytes."""

    used: int
    reserved: int


async def usage_of(client: Client) -> Usage:
    """Return the storage counters that the user sees."""
    user = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
    return Usage(user["storageUsed"], user["storageReserved"])


async def files_of(client: Client) -> dict[str, Any]:
    """Return the files in the root folder by id."""
    items = await all_items(client, "/api/v1/files")
    return {item["id"]: item for item in items if item["kind"] == "file"}


async def all_items(client: Client, url: str, **query: str) -> list[Any]:
    """Return all items of a paged list; ``query`` has further query fields."""
    page = await client.json_of("GET", url, params={"limit": "200", **query})
    items: list[Any] = page["items"]
    while page["nextCursor"] is not None:
        page = await client.json_of("GET", url, params={"limit": "200", "cursor": page["nextCursor"], **query})
        items += page["items"]
    return items


async def notified_files(client: Client) -> Counter[str]:
    """Count the ``file.ready`` notifications for each file."""
    items = await all_items(client, "/api/v1/notifications")
    return Counter(item["payload"]["fileId"] for item in items if item["type"] == "file.ready")


async def downloaded(client: Client, file_id: str) -> bytes:
    """Download a file by its presigned URL."""
    redirect = await client.get(f"/api/v1/files/{file_id}/download")
    assert redirect.status_code == 302, redirect.text
    response = await client.get(redirect.headers["location"])
    assert response.status_code == 200, response.text
    return response.content


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content``, for readable messages when two contents differ."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Sending:
    """A multipart upload: its content, part URLs, and the ETags of acknowledged parts."""

    client: Client
    content: bytes
    file_id: str
    upload_id: str
    part_size: int
    urls: list[str]
    etags: dict[int, str] = field(default_factory=dict)

    @classmethod
    async def begin(cls, client: Client, content: bytes, **fields: object) -> "Sending":
        """Initiate an upload of ``content``."""
        response = await client.json_of("POST", f"{UPLOADS}/initiate", 201, json=upload_request(len(content), **fields))
        return cls(
            client, content, response["fileId"], response["uploadId"], response["partSize"], response["uploadUrls"]
        )

    @property
    def numbers(self) -> range:
        """The numbers of all parts."""
        return range(1, len(self.urls) + 1)

    def bytes_of(self, number: int) -> bytes:
        """Return the content of part ``number``."""
        return self.content[(number - 1) * self.part_size : number * self.part_size]

    async def put(self, number: int, content: bytes | None = None) -> httpx.Response:
        """Send a part and record its ETag if it is accepted."""
        body = self.bytes_of(number) if content is None else content
        response = await self.client.put(self.urls[number - 1], content=body)
        if response.status_code == 200:
            self.etags[number] = response.headers["etag"].strip('"')
        return response

    async def put_all(self, numbers: Iterable[int] | None = None, parallel: int = 3) -> None:
        """Send those parts, or all, ``parallel`` at a time. Raises the first transport error."""
        waiting = iter(list(numbers if numbers is not None else self.numbers))

        async def worker() -> None:
            for number in waiting:
                response = await self.put(number)
                assert response.status_code == 200, f"part {number}: {response.status_code} {response.text}"

        await asyncio.gather(*(worker() for _ in range(parallel)))

    async def state(self) -> dict[int, str]:
        """Return the parts that the server lists with their ETags, and refresh the URLs."""
        response = await self.client.json_of("GET", f"{UPLOADS}/{self.upload_id}")
        self.urls = response["uploadUrls"]
        return {part["partNumber"]: part["etag"] for part in response["parts"]}

    async def complete(self) -> httpx.Response:
        """Complete the upload."""
        parts = [{"partNumber": number, "etag": etag} for number, etag in sorted(self.etags.items())]
        body = {"fileId": self.file_id, "uploadId": self.upload_id, "parts": parts}
        return await self.client.post(f"{UPLOADS}/complete", json=body)

    async def abort(self) -> httpx.Response:
        """Abort the upload."""
        return await self.client.delete(f"{UPLOADS}/{self.upload_id}")

    async def assert_whole(self) -> None:
        """Assert that the stored file equals the content."""
        got = await downloaded(self.client, self.file_id)
        assert (len(got), sha256(got)) == (len(self.content), sha256(self.content))


def upload_request(size: int, **fields: object) -> dict[str, object]:
    """Return the body of an initiate request."""
    return {"name": f"{new_id()}.bin", "path": "/", "size": size, "mimeType": "application/octet-stream", **fields}


async def simple_upload(client: Client, content: bytes, name: str = "small.bin") -> httpx.Response:
    """Send a small file in one request."""
    return await client.post("/api/v1/files/upload", files={"file": (name, content)}, data={"path": "/"})


async def batch_upload(client: Client, contents: Sequence[bytes], folder: str = "/") -> httpx.Response:
    """Send small files in one request."""
    files = [("file", (f"{new_id()}.bin", content)) for content in contents]
    return await client.post("/api/v1/files/upload-batch", files=files, data={"path": folder})


def some_bytes(size: int) -> bytes:
    """Return random bytes."""
    return os.urandom(size)


def stored_files(objects: Path) -> list[Path]:
    """Return every data file in the embedded store's folder."""
    return [path for path in objects.rglob("*") if path.is_file() and path.name != "lock"]
