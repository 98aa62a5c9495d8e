"""Of parallel requests that exclude each other, exactly one takes effect."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually
from tests.reliability.conftest import QUOTA
from tests.reliability.http_uploads import (
    UPLOADS,
    Sending,
    Usage,
    downloaded,
    files_of,
    new_user,
    notified_files,
    sha256,
    some_bytes,
    upload_request,
    usage_of,
)

PART = 5 * 2**20


async def test_a_part_sent_twice_at_once_holds_the_bytes_of_one_request(profile: MetastoreProcess) -> None:
    """The ETag with which the upload completes is that of the bytes in the file."""
    async with new_user(profile.address) as client:
        for _ in range(3):
            rivals = [some_bytes(PART), some_bytes(PART)]
            sending = await Sending.begin(client, some_bytes(PART))
            responses = await asyncio.gather(*(_send_unevenly(client, sending.urls[0], rival) for rival in rivals))
            assert [response.status_code for response in responses] == [200, 200]
            etags = [response.headers["etag"].strip('"') for response in responses]
            # A store may keep both contents until complete chooses one by its ETag.
            assert (await sending.state())[1] in etags
            for etag, rival in random.sample(list(zip(etags, rivals, strict=True)), 2):
                sending.etags = {1: etag}
                completed = await sending.complete()
                if completed.status_code == 200:
                    assert sha256(await downloaded(client, sending.file_id)) == sha256(rival)
                    break
                assert (completed.status_code, completed.json()["code"]) == (400, "invalid-part")
            else:
                raise AssertionError("the upload completes with neither ETag")


async def test_parallel_initiates_cannot_exceed_the_quota(profile: MetastoreProcess) -> None:
    """As many succeed as fit; the last free byte can be reserved, but no more."""
    async with new_user(profile.address) as client:
        size = QUOTA // 7 + 1
        responses = await asyncio.gather(*(_initiate(client, size) for _ in range(12)))
        assert sorted(response.status_code for response in responses) == [201] * 6 + [413] * 6
        assert {response.json()["code"] for response in responses if response.status_code == 413} == {"quota-exceeded"}
        assert await usage_of(client) == Usage(0, 6 * size)
        left = QUOTA - 6 * size
        assert (await _initiate(client, left + 1)).status_code == 413
        last = await asyncio.gather(*(_initiate(client, left) for _ in range(4)))
        assert sorted(response.status_code for response in last) == [201, 413, 413, 413]
        assert await usage_of(client) == Usage(0, QUOTA)
        uploads = [response.json()["uploadId"] for response in [*responses, *last] if response.status_code == 201]
        gone = await asyncio.gather(*(client.delete(f"{UPLOADS}/{upload}") for upload in uploads * 2))
        assert sorted(response.status_code for response in gone) == [204] * 7 + [404] * 7
        assert await usage_of(client) == Usage(0, 0)


async def test_parallel_completes_make_one_file(profile: MetastoreProcess) -> None:
    """All get the same response; the file counts once and is announced once."""
    async with new_user(profile.address) as client:
        sending = await Sending.begin(client, some_bytes(PART + 1))
        await sending.put_all()
        responses = await asyncio.gather(*(sending.complete() for _ in range(6)))
        assert [response.status_code for response in responses] == [200] * 6
        assert {response.json()["file"]["id"] for response in responses} == {sending.file_id}
        assert list(await files_of(client)) == [sending.file_id]
        assert await usage_of(client) == Usage(PART + 1, 0)
        await sending.assert_whole()

        async def announced() -> bool:
            return sending.file_id in await notified_files(client)

        await eventually(announced, interval=0.1, why="the file is announced")
        assert await notified_files(client) == {sending.file_id: 1}


async def test_of_complete_and_abort_at_once_one_succeeds(profile: MetastoreProcess) -> None:
    """The result is either the complete file or nothing."""
    async with new_user(profile.address) as client:
        expected = 0
        for _ in range(6):
            sending = await Sending.begin(client, some_bytes(1000))
            await sending.put_all()
            completed, aborted = await asyncio.gather(
                _after(random.uniform(0, 0.01), sending.complete), _after(random.uniform(0, 0.01), sending.abort)
            )
            outcome = (completed.status_code, aborted.status_code)
            assert outcome in {(200, 409), (404, 204)}, f"{outcome} {completed.text} {aborted.text}"
            assert (sending.file_id in await files_of(client)) == (completed.status_code == 200)
            if completed.status_code == 200:
                expected += 1000
                await sending.assert_whole()
        assert await usage_of(client) == Usage(expected, 0)


async def _send_unevenly(client: httpx.AsyncClient, url: str, content: bytes) -> httpx.Response:
    """PUT ``content`` in pieces with pauses between them, so that parallel requests interleave."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 2**20):
            await asyncio.sleep(random.uniform(0, 0.01))
            yield content[start : start + 2**20]

    return await client.put(url, content=pieces(), headers={"Content-Length": str(len(content))})


async def _initiate(client: httpx.AsyncClient, size: int) -> httpx.Response:
    return await client.post(f"{UPLOADS}/initiate", json=upload_request(size))


async def _after(delay: float, call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    await asyncio.sleep(delay)
    return await call()
