"""Every call to S3 ends within its deadline with a correct result or an error, whatever the server does."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.ports import free_port
from metastore.adapters.object_store.s3 import S3ObjectStore, calls
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    ObjectStoreError,
    StoreFullError,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)
from tests.fixtures.scripted_s3 import DISCONNECT, HANG, S3Request, ScriptedS3, error, reply, scripted_s3

TARGET = UploadTarget("files/abc", "up-1", 3, 3)
ETAG = "900150983cd24fb0d6963f7d28e17f72"
PARTS = [CompletedPart(1, ETAG)]
PART_LIST = (
    f"<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>{ETAG}</ETag><Size>3</Size>"
    "<LastModified>2026-11-22T12:00:00Z</LastModified></Part></ListPartsResult>"
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedS3]:
    """A server on which every request succeeds, until scripted otherwise."""
    async with scripted_s3() as server:
        yield server


@pytest.fixture
async def store(server: ScriptedS3) -> AsyncIterator[S3ObjectStore]:
    """A store on that server."""
    store = await open_store(server.endpoint)
    yield store
    await store.aclose()


async def open_store(endpoint: str) -> S3ObjectStore:
    """Open a store at ``endpoint``."""
    return await S3ObjectStore.open(
        bucket="bucket", endpoint=endpoint, access_key_id="id", secret_access_key="secret", allowed_origins=["*"]
    )


def head_of(size: int) -> str:
    """Return the response to HEAD of an object of ``size`` bytes."""
    return reply(200, ETag=f'"{ETAG}-1"', Content_Length=str(size), Last_Modified="Sun, 22 Nov 2026 12:00:00 GMT")


async def test_an_unreachable_server_is_unavailable() -> None:
    """Nothing listens on the port."""
    with pytest.raises(StoreUnavailableError):
        await open_store(f"http://127.0.0.1:{free_port()}")


async def test_a_silent_server_times_out(
    server: ScriptedS3, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call takes no longer than the deadline."""
    server.script = lambda request: HANG
    monkeypatch.setattr(calls, "DEADLINE_SECONDS", 0.3)
    with pytest.raises(StoreUnavailableError):
        await store.create_multipart("files/abc", size=3, part_size=3, content_type="a/b")
    with pytest.raises(StoreUnavailableError):
        await store.head("files/abc")
    with pytest.raises(StoreUnavailableError):
        await store.complete_multipart(TARGET, PARTS)


async def test_an_operation_of_two_requests_has_one_deadline(
    server: ScriptedS3, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``put`` and ``read`` each send two requests. The second one gets no response."""
    monkeypatch.setattr(calls, "DEADLINE_SECONDS", 0.5)

    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    server.script = lambda request: HANG if request.method == "HEAD" else None
    with pytest.raises(StoreUnavailableError):
        await store.put("files/abc", once(), size=3, content_type="a/b")
    server.script = lambda request: HANG if request.method == "GET" else head_of(3)
    with pytest.raises(StoreUnavailableError):
        await anext(store.read("files/abc"))


@pytest.mark.parametrize("response", [error(503, "SlowDown"), error(500, "InternalError"), error(403, "AccessDenied")])
async def test_server_errors_mean_unavailable(server: ScriptedS3, store: S3ObjectStore, response: str) -> None:
    """After any of these, the caller may retry later."""
    server.script = lambda request: response
    with pytest.raises(StoreUnavailableError):
        await store.list_parts(TARGET)


async def test_a_full_server_raises_store_full(server: ScriptedS3, store: S3ObjectStore) -> None:
    """It is recognised by its error code."""
    server.script = lambda request: error(507, "InsufficientStorage")
    with pytest.raises(StoreFullError):
        await store.create_multipart("files/abc", size=3, part_size=3, content_type="a/b")


async def test_an_error_in_the_body_of_a_200_is_an_error(server: ScriptedS3, store: S3ObjectStore) -> None:
    """S3 may send status 200 before complete fails."""

    def script(request: S3Request) -> str | None:
        if request.method == "POST":
            return error(200, "InternalError")
        return reply(200, PART_LIST) if request.method == "GET" else head_of(3)

    server.script = script
    with pytest.raises(StoreUnavailableError):
        await store.complete_multipart(TARGET, PARTS)


async def test_parts_that_the_server_finds_too_small_are_no_outage(server: ScriptedS3, store: S3ObjectStore) -> None:
    """The upload cannot be completed later either, so the client has to know."""

    def script(request: S3Request) -> str | None:
        if request.method == "POST":
            return error(400, "EntityTooSmall")
        return reply(200, PART_LIST) if request.method == "GET" else head_of(3)

    server.script = script
    with pytest.raises(InvalidPartError, match="smaller than the object store allows"):
        await store.complete_multipart(TARGET, PARTS)


class LostResponse:
    """A script in which complete succeeds, its response is lost, and a retry finds no upload."""

    def __init__(self, size_under_the_key: int | None) -> None:
        self._size = size_under_the_key
        self._completed = False

    def __call__(self, request: S3Request) -> str | None:
        """Return the response to one request."""
        if request.method == "POST":
            first, self._completed = not self._completed, True
            return DISCONNECT if first else error(404, "NoSuchUpload")
        if request.method == "GET":
            return reply(200, PART_LIST)
        return head_of(self._size) if self._size is not None else reply(404)


async def test_a_complete_whose_response_was_lost_succeeds(server: ScriptedS3, store: S3ObjectStore) -> None:
    """An object of the right size under the key proves that it succeeded."""
    server.script = LostResponse(3)
    stored = await store.complete_multipart(TARGET, PARTS)
    assert (3, f"{ETAG}-1") == (stored.size, stored.etag)


@pytest.mark.parametrize("size", [None, 4])
async def test_a_lost_response_without_the_object_is_an_error(
    server: ScriptedS3, store: S3ObjectStore, size: int | None
) -> None:
    """So is an object of another size."""
    server.script = LostResponse(size)
    with pytest.raises(UploadNotFoundError):
        await store.complete_multipart(TARGET, PARTS)


async def test_a_body_that_ends_early_is_an_error(server: ScriptedS3, store: S3ObjectStore) -> None:
    """A truncated read is not mistaken for the whole object."""

    def script(request: S3Request) -> str | None:
        return head_of(3) if request.method == "HEAD" else reply(206, "ab", Content_Length="2")

    server.script = script
    with pytest.raises(StoreUnavailableError):
        [chunk async for chunk in store.read("files/abc")]


async def test_a_server_without_cors_support_is_usable(server: ScriptedS3) -> None:
    """The operator may maintain the CORS rules elsewhere."""
    server.script = lambda request: error(501, "NotImplemented") if "cors" in request.query else None
    await (await open_store(server.endpoint)).aclose()


async def test_an_absent_bucket_is_created(server: ScriptedS3) -> None:
    """Losing a race to create it is not an error."""
    for response in (None, error(409, "BucketAlreadyOwnedByYou")):
        server.requests.clear()
        server.script = lambda request, response=response: {  # type: ignore[misc]  # mypy sees no type for the default
            ("HEAD", ""): reply(404),
            ("PUT", ""): response,
        }.get((request.method, request.query))
        await (await open_store(server.endpoint)).aclose()
        assert S3Request("PUT", "/bucket", "") in server.requests


async def test_presigned_urls_use_the_public_endpoint(server: ScriptedS3) -> None:
    """The server itself uses the private endpoint."""
    store = await S3ObjectStore.open(
        bucket="bucket",
        endpoint=server.endpoint,
        public_endpoint="https://s3.example.org",
        access_key_id="id",
        secret_access_key="secret",
    )
    assert "https://s3.example.org" == store.public_origin
    for url in await store.presign_parts(UploadTarget("files/abc", "up-1", 6, 3), [1, 2], expires_in=60):
        assert url.startswith("https://s3.example.org/bucket/files/abc?")
    await store.aclose()


async def test_a_partly_failed_delete_raises(server: ScriptedS3, store: S3ObjectStore) -> None:
    """The response has status 200 and lists the objects that were not deleted."""
    refused = "<DeleteResult><Error><Key>files/abc</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    server.script = lambda request: reply(200, refused)
    with pytest.raises(ObjectStoreError):
        await store.delete(["files/abc"])
