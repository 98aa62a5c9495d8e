"""The contract of the ``ObjectStore`` port. Clients are real: they send HTTP requests to presigned URLs."""

import asyncio
import os

import pytest

from metastore.kit.ids import new_id
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    UploadNotFoundError,
    UploadTarget,
)
from tests.contracts.long_lived_urls import LastingReadsContract
from tests.contracts.stored_objects import StoredObjectsContract
from tests.fixtures.store_client import PART_SIZE, StoreClient, new_key, part_of, stream
from tests.fixtures.waiting import eventually


class ObjectStoreContract(StoredObjectsContract, LastingReadsContract):
    """Inherit this, and provide the fixtures ``store_client`` and ``twin``."""

    async def test_parts_sent_in_any_order_become_the_object(self, store_client: StoreClient) -> None:
        """The last part first is as good as the first part first."""
        content = os.urandom(2 * PART_SIZE + 12345)
        target = await store_client.begin(len(content))
        parts = [await store_client.send(target, number, part_of(content, target, number)) for number in (3, 1, 2)]
        stored = await store_client.store.complete_multipart(target, sorted(parts, key=lambda part: part.number))
        assert len(content) == stored.size
        assert content == await store_client.read(target.key)

    async def test_parts_may_be_sent_at_the_same_time(self, store_client: StoreClient) -> None:
        """Three parts at once do not disturb each other."""
        content = os.urandom(3 * PART_SIZE)
        target = await store_client.begin(len(content))
        sending = (store_client.send(target, number, part_of(content, target, number)) for number in (1, 2, 3))
        await store_client.store.complete_multipart(target, await asyncio.gather(*sending))
        assert content == (await store_client.client.get(await store_client.url_of(target.key))).content

    async def test_nothing_is_under_the_key_before_complete(self, store_client: StoreClient) -> None:
        """An upload is no object yet, even when all its parts are there."""
        target = await store_client.begin(10)
        await store_client.send_all(target, b"0123456789")
        assert not await store_client.has(target.key)
        assert (await store_client.client.get(await store_client.url_of(target.key))).status_code == 404

    async def test_a_part_sent_again_replaces_the_earlier_one(self, store_client: StoreClient) -> None:
        """The ETag that the last sending gave completes, and its bytes are the object's."""
        target = await store_client.begin(6)
        await store_client.send(target, 1, b"before")
        second = await store_client.send(target, 1, b"after!")
        await store_client.store.complete_multipart(target, [second])
        assert b"after!" == await store_client.read(target.key)

    async def test_a_part_sent_again_and_again_leaves_the_last(self, store_client: StoreClient) -> None:
        """Five sendings of one part, and the fifth holds."""
        target = await store_client.begin(7)
        for turn in range(4):
            await store_client.send(target, 1, b"turn %d\n" % turn)
        last = await store_client.send(target, 1, b"turn 4\n")
        await store_client.store.complete_multipart(target, [last])
        assert b"turn 4\n" == await store_client.read(target.key)

    async def test_one_part_sent_at_the_same_time_is_wholly_one_of_them(self, store_client: StoreClient) -> None:
        """Bytes and ETag of two sendings never mix."""
        contents = [bytes([value]) * PART_SIZE for value in (1, 2, 3)]
        target = await store_client.begin(PART_SIZE)
        sent = await asyncio.gather(*(store_client.send(target, 1, content) for content in contents))
        [held] = await store_client.store.list_parts(target)
        await store_client.store.complete_multipart(target, [CompletedPart(1, held.etag)])
        winner = contents[[part.etag for part in sent].index(held.etag)]
        assert winner == await store_client.read(target.key)

    @pytest.mark.parametrize("sent", [b"", b"123456789", b"01234567890"])
    async def test_a_part_of_another_length_is_refused(self, store_client: StoreClient, sent: bytes) -> None:
        """Neither less nor more than the declared length is taken, and nothing is kept."""
        target = await store_client.begin(10)
        [url] = await store_client.urls(target)
        assert 400 <= (await store_client.client.put(url, content=sent)).status_code < 500
        assert [] == await store_client.store.list_parts(target)

    async def test_a_body_without_length_is_refused(self, store_client: StoreClient) -> None:
        """A chunked body could be of any length."""
        target = await store_client.begin(10)
        [url] = await store_client.urls(target)
        assert 400 <= (await store_client.client.put(url, content=stream(b"01234", b"56789"))).status_code < 500
        assert [] == await store_client.store.list_parts(target)

    async def test_a_url_serves_its_own_part_only(self, store_client: StoreClient) -> None:
        """A URL that was changed anywhere is refused, and nothing is kept."""
        target = await store_client.begin(2 * PART_SIZE)
        other = await store_client.begin(2 * PART_SIZE)
        [url, _] = await store_client.urls(target)
        [_, second_of_other] = await store_client.urls(other)
        changed = url[:-1] + ("0" if url[-1] != "0" else "1")
        signature = url[-20:]
        for bad in (changed, second_of_other[:-20] + signature, url.replace(target.key, other.key)):
            assert 403 == (await store_client.client.put(bad, content=bytes(PART_SIZE))).status_code
        assert [] == await store_client.store.list_parts(target)
        assert [] == await store_client.store.list_parts(other)

    async def test_a_part_url_does_not_read_and_a_read_url_does_not_write(self, store_client: StoreClient) -> None:
        """The method is part of what was signed."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        key = await store_client.upload(b"abc")
        assert 403 == (await store_client.client.get(url)).status_code
        assert 403 == (await store_client.client.put(await store_client.url_of(key), content=b"xyz")).status_code
        assert b"abc" == await store_client.read(key)

    async def test_urls_expire(self, store_client: StoreClient) -> None:
        """After its time a URL opens nothing."""
        target = await store_client.begin(3)
        key = await store_client.upload(b"abc")
        [put_url] = await store_client.store.presign_parts(target, [1], expires_in=1)
        get_url = await store_client.store.presign_get(key, filename="a", content_type="text/plain", expires_in=1)

        async def both_refused() -> bool:
            put, get = await store_client.client.put(put_url, content=b"abc"), await store_client.client.get(get_url)
            return (put.status_code, get.status_code) == (403, 403)

        await eventually(both_refused, interval=0.2, why="the URLs have expired")

    async def test_received_parts_are_listed_by_number(self, store_client: StoreClient) -> None:
        """A client that lost its memory finds out what it has to send."""
        content = os.urandom(2 * PART_SIZE + 1)
        target = await store_client.begin(len(content))
        third = await store_client.send(target, 3, content[-1:])
        first = await store_client.send(target, 1, content[:PART_SIZE])
        listed = await store_client.store.list_parts(target)
        assert [(1, first.etag, PART_SIZE), (3, third.etag, 1)] == [(p.number, p.etag, p.size) for p in listed]

    async def test_a_missing_part_is_named_and_the_upload_goes_on(self, store_client: StoreClient) -> None:
        """Complete changes nothing when a part is missing."""
        content = os.urandom(PART_SIZE + 5)
        target = await store_client.begin(len(content))
        first = await store_client.send(target, 1, content[:PART_SIZE])
        for named in ([first], [first, CompletedPart(2, first.etag)], []):
            with pytest.raises(InvalidPartError) as refusal:
                await store_client.store.complete_multipart(target, named)
            assert refusal.value.number == (2 if named else 1)
        second = await store_client.send(target, 2, content[PART_SIZE:])
        await store_client.store.complete_multipart(target, [first, second])
        assert content == await store_client.read(target.key)

    async def test_a_wrong_etag_is_named_and_the_upload_goes_on(self, store_client: StoreClient) -> None:
        """Complete changes nothing when an ETag is not that of the part."""
        target = await store_client.begin(3)
        part = await store_client.send(target, 1, b"abc")
        with pytest.raises(InvalidPartError) as refusal:
            await store_client.store.complete_multipart(target, [CompletedPart(1, "0" * len(part.etag))])
        assert refusal.value.number == 1
        assert not await store_client.has(target.key)
        await store_client.store.complete_multipart(target, [part])

    async def test_parts_beyond_the_last_or_out_of_order_are_refused(self, store_client: StoreClient) -> None:
        """Complete takes the parts from one to the last, in order, and no other."""
        content = os.urandom(PART_SIZE + 1)
        target = await store_client.begin(len(content))
        first, second = await store_client.send_all(target, content)
        for named in ([second, first], [first, first], [first, second, CompletedPart(3, second.etag)]):
            with pytest.raises(InvalidPartError):
                await store_client.store.complete_multipart(target, named)
        await store_client.store.complete_multipart(target, [first, second])

    async def test_after_abort_the_upload_is_gone(self, store_client: StoreClient) -> None:
        """Nothing can be sent, listed or completed; a second abort is no error."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        part = await store_client.send(target, 1, b"abc")
        await store_client.store.abort_multipart(target.key, target.upload_id)
        await store_client.store.abort_multipart(target.key, target.upload_id)
        with pytest.raises(UploadNotFoundError):
            await store_client.store.list_parts(target)
        with pytest.raises(UploadNotFoundError):
            await store_client.store.complete_multipart(target, [part])
        assert 404 == (await store_client.client.put(url, content=b"abc")).status_code
        assert not await store_client.has(target.key)

    async def test_an_unknown_upload_is_not_found(self, store_client: StoreClient) -> None:
        """An id that nobody gave out is no different from an aborted one."""
        target = UploadTarget(new_key(), new_id(), 3, 3)
        await store_client.store.abort_multipart(target.key, target.upload_id)
        with pytest.raises(UploadNotFoundError):
            await store_client.store.list_parts(target)

    async def test_complete_works_once(self, store_client: StoreClient) -> None:
        """The second complete finds no upload, and an abort that comes late leaves the object alone."""
        target = await store_client.begin(3)
        part = await store_client.send(target, 1, b"abc")
        await store_client.store.complete_multipart(target, [part])
        with pytest.raises(UploadNotFoundError):
            await store_client.store.complete_multipart(target, [part])
        await store_client.store.abort_multipart(target.key, target.upload_id)
        assert b"abc" == await store_client.read(target.key)

    async def test_a_part_after_complete_is_refused(self, store_client: StoreClient) -> None:
        """An object never changes."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        await store_client.store.complete_multipart(target, [await store_client.send(target, 1, b"abc")])
        assert 404 == (await store_client.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await store_client.read(target.key)

    async def test_completes_at_the_same_time_make_one_object(self, store_client: StoreClient) -> None:
        """Whoever comes late finds no upload; the object is whole."""
        content = os.urandom(PART_SIZE + 100)
        target = await store_client.begin(len(content))
        parts = await store_client.send_all(target, content)
        calls = (store_client.store.complete_multipart(target, parts) for _ in range(4))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert any(not isinstance(outcome, BaseException) for outcome in outcomes)
        assert all(isinstance(o, UploadNotFoundError) for o in outcomes if isinstance(o, BaseException))
        assert content == await store_client.read(target.key)

    async def test_complete_against_abort_has_one_winner(self, store_client: StoreClient) -> None:
        """Either the whole object is there or nothing; the upload is gone in any case."""
        for turn in range(6):
            target = await store_client.begin(3)
            part = await store_client.send(target, 1, b"abc")
            calls = [
                store_client.store.complete_multipart(target, [part]),
                store_client.store.abort_multipart(target.key, target.upload_id),
            ]
            await asyncio.gather(*(calls if turn % 2 else reversed(calls)), return_exceptions=True)
            if await store_client.has(target.key):
                assert b"abc" == await store_client.read(target.key)
            with pytest.raises(UploadNotFoundError):
                await store_client.store.list_parts(target)

    async def test_an_empty_object_has_one_empty_part(self, store_client: StoreClient) -> None:
        """Zero bytes are a fine size."""
        target = await store_client.begin(0)
        assert 1 == target.part_count
        await store_client.store.complete_multipart(target, [await store_client.send(target, 1, b"")])
        assert 0 == (await store_client.store.head(target.key)).size
        assert b"" == await store_client.read(target.key)
        response = await store_client.client.get(await store_client.url_of(target.key))
        assert (200, b"") == (response.status_code, response.content)

    async def test_ten_thousand_urls_are_made_quickly(self, store_client: StoreClient) -> None:
        """As many parts as an upload may have; each URL serves its own."""
        target = await store_client.begin(10_000 * 10 - 3, part_size=10)
        async with asyncio.timeout(60):
            urls = await store_client.urls(target)
        assert 10_000 == len(set(urls))
        assert 200 == (await store_client.client.put(urls[9_999], content=b"1234567")).status_code
        assert 200 == (await store_client.client.put(urls[6_788], content=b"0123456789")).status_code
        assert [(6_789, 10), (10_000, 7)] == [(p.number, p.size) for p in await store_client.store.list_parts(target)]

    async def test_no_numbers_no_urls(self, store_client: StoreClient) -> None:
        """Asking for nothing gives nothing."""
        assert [] == await store_client.store.presign_parts(await store_client.begin(3), [], expires_in=60)
