"""Every call on S3 ends, and ends in the truth, whatever the server does."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.ports import free_port
from metastore.adapters.object_store.s3 import S3ObjectStore, calls
from metastore.ports.object_store import (
    CompletedPart,
    ObjectStoreError,
    StoreFullError,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)
from tests.fixtures.scripted_s3 import HANG_UP, SAY_NOTHING, Asked, ScriptedS3, error, reply, scripted_s3

TARGET = UploadTarget("files/abc", "up-1", 3, 3)
ETAG = "900150983cd24fb0d6963f7d28e17f72"
NAMED = [CompletedPart(1, ETAG)]
HELD = (
    f"<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>{ETAG}</ETag><Size>3</Size>"
    "<LastModified>2026-11-22T12:00:00Z</LastModified></Part></ListPartsResult>"
)
DONE = f"<CompleteMultipartUploadResult><ETag>{ETAG}-1</ETag></CompleteMultipartUploadResult>"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedS3]:
    """A server that says yes until told otherwise."""
    async with scripted_s3() as server:
        yield server


@pytest.fixture
async def store(server: ScriptedS3) -> AsyncIterator[S3ObjectStore]:
    """A store on that server."""
    store = await open_store(server.endpoint)
    yield store
    await store.aclose()


async def open_store(endpoint: str) -> S3ObjectStore:
    """Connect."""
    return await S3ObjectStore.open(
        bucket="bucket", endpoint=endpoint, access_key_id="id", secret_access_key="secret", allowed_origins=["*"]
    )


def head_of(size: int) -> str:
    """The answer to HEAD of an object."""
    return reply(200, ETag=f'"{ETAG}-1"', Content_Length=str(size), Last_Modified="Sun, 22 Nov 2026 12:00:00 GMT")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nobody listens."""
    with pytest.raises(StoreUnavailableError):
        await open_store(f"http://127.0.0.1:{free_port()}")


async def test_a_server_that_says_nothing_is_given_up(
    server: ScriptedS3, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A black hole costs no more than the deadline."""
    server.script = lambda asked: SAY_NOTHING
    monkeypatch.setattr(calls, "DEADLINE_SECONDS", 0.3)
    with pytest.raises(StoreUnavailableError):
        await store.create_multipart("files/abc", size=3, part_size=3, content_type="a/b")
    with pytest.raises(StoreUnavailableError):
        await store.head("files/abc")
    with pytest.raises(StoreUnavailableError):
        await store.complete_multipart(TARGET, NAMED)


async def test_what_takes_two_requests_is_given_up_when_the_second_is_not_answered(
    server: ScriptedS3, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storing looks at what was stored, and reading begins by looking: both within one deadline."""
    monkeypatch.setattr(calls, "DEADLINE_SECONDS", 0.5)

    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    server.script = lambda asked: SAY_NOTHING if asked.method == "HEAD" else None
    with pytest.raises(StoreUnavailableError):
        await store.put("files/abc", once(), size=3, content_type="a/b")
    server.script = lambda asked: SAY_NOTHING if asked.method == "GET" else head_of(3)
    with pytest.raises(StoreUnavailableError):
        await anext(store.read("files/abc"))


@pytest.mark.parametrize("answer", [error(503, "SlowDown"), error(500, "InternalError"), error(403, "AccessDenied")])
async def test_faults_of_the_server_are_unavailability(server: ScriptedS3, store: S3ObjectStore, answer: str) -> None:
    """Whatever it says, the caller may try again later."""
    server.script = lambda asked: answer
    with pytest.raises(StoreUnavailableError):
        await store.list_parts(TARGET)


async def test_a_full_server_is_full(server: ScriptedS3, store: S3ObjectStore) -> None:
    """By its code."""
    server.script = lambda asked: error(507, "InsufficientStorage")
    with pytest.raises(StoreFullError):
        await store.create_multipart("files/abc", size=3, part_size=3, content_type="a/b")


async def test_an_error_in_the_body_of_a_200_is_an_error(server: ScriptedS3, store: S3ObjectStore) -> None:
    """Complete may answer 200 before it fails."""

    def script(asked: Asked) -> str | None:
        if asked.method == "POST":
            return error(200, "InternalError")
        return reply(200, HELD) if asked.method == "GET" else head_of(3)

    server.script = script
    with pytest.raises(StoreUnavailableError):
        await store.complete_multipart(TARGET, NAMED)


class LosesAnswer:
    """Completes, hangs up without a word, and then knows no such upload."""

    def __init__(self, size_under_the_key: int | None) -> None:
        self._size = size_under_the_key
        self._completed = False

    def __call__(self, asked: Asked) -> str | None:
        """The answer to one request."""
        if asked.method == "POST":
            first, self._completed = not self._completed, True
            return HANG_UP if first else error(404, "NoSuchUpload")
        if asked.method == "GET":
            return reply(200, HELD)
        return head_of(self._size) if self._size is not None else reply(404)


async def test_a_complete_whose_answer_was_lost_succeeded(server: ScriptedS3, store: S3ObjectStore) -> None:
    """The object under the key, of the right size, tells."""
    server.script = LosesAnswer(3)
    stored = await store.complete_multipart(TARGET, NAMED)
    assert (3, f"{ETAG}-1") == (stored.size, stored.etag)


@pytest.mark.parametrize("size", [None, 4])
async def test_a_lost_answer_without_the_object_did_not_succeed(
    server: ScriptedS3, store: S3ObjectStore, size: int | None
) -> None:
    """No object, or another one, is no success."""
    server.script = LosesAnswer(size)
    with pytest.raises(UploadNotFoundError):
        await store.complete_multipart(TARGET, NAMED)


async def test_a_body_that_ends_early_is_an_error(server: ScriptedS3, store: S3ObjectStore) -> None:
    """Half an object is never taken for the whole."""

    def script(asked: Asked) -> str | None:
        return head_of(3) if asked.method == "HEAD" else reply(206, "ab", Content_Length="2")

    server.script = script
    with pytest.raises(StoreUnavailableError):
        [chunk async for chunk in store.read("files/abc")]


async def test_a_server_without_sharing_rules_is_used_all_the_same(server: ScriptedS3) -> None:
    """The rules may be the operator's."""
    server.script = lambda asked: error(501, "NotImplemented") if "cors" in asked.query else None
    await (await open_store(server.endpoint)).aclose()


async def test_an_absent_bucket_is_created(server: ScriptedS3) -> None:
    """Also when somebody else creates it at the same moment."""
    for answer in (None, error(409, "BucketAlreadyOwnedByYou")):
        server.asked.clear()
        server.script = lambda asked, answer=answer: {  # type: ignore[misc]  # mypy sees no type for the default
            ("HEAD", ""): reply(404),
            ("PUT", ""): answer,
        }.get((asked.method, asked.query))
        await (await open_store(server.endpoint)).aclose()
        assert Asked("PUT", "/bucket", "") in server.asked


async def test_an_address_of_its_own_for_clients_is_in_their_urls(server: ScriptedS3) -> None:
    """We talk to the endpoint, they to the public one."""
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


async def test_an_error_never_looks_like_success(server: ScriptedS3, store: S3ObjectStore) -> None:
    """Deleting says so when an object could not be removed."""
    refused = "<DeleteResult><Error><Key>files/abc</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    server.script = lambda asked: reply(200, refused)
    with pytest.raises(ObjectStoreError):
        await store.delete(["files/abc"])
