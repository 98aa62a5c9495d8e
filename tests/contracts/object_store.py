"""The contract of the ports ``ObjectStore`` and ``Presigner``. Presigned URLs are used over HTTP."""

import asyncio
import os

import pytest

from metastore.kit.ids import new_id
from metastore.ports.object_store import CompletedPart, InvalidPartError, UploadNotFoundError, UploadTarget
from tests.contracts.long_lived_urls import LongLivedUrlsContract
from tests.contracts.stored_objects import StoredObjectsContract
from tests.fixtures.store_client import PART_SIZE, StoreClient, new_key, part_of, stream
from tests.fixtures.waiting import eventually


class ObjectStoreContract(StoredObjectsContract, LongLivedUrlsContract):
    """The tests that every object store passes. Subclasses provide ``store_client`` and ``second_store``."""

    async def test_parts_may_be_sent_in_any_order(self, store_client: StoreClient) -> None:
        """Their numbers determine their order in the object."""
        content = os.urandom(2 * PART_SIZE + 12345)
        target = await store_client.begin(len(content))
        parts = [await store_client.send(target, number, part_of(content, target, number)) for number in (3, 1, 2)]
        stored = await store_client.store.complete_multipart(target, sorted(parts, key=lambda part: part.number))
        assert len(content) == stored.size
        assert content == await store_client.read(target.key)

    async def test_parts_may_be_sent_concurrently(self, store_client: StoreClient) -> None:
        """Three concurrent parts do not affect each other."""
        content = os.urandom(3 * PART_SIZE)
        target = await store_client.begin(len(content))
        sending = (store_client.send(target, number, part_of(content, target, number)) for number in (1, 2, 3))
        await store_client.store.complete_multipart(target, await asyncio.gather(*sending))
        assert content == (await store_client.client.get(await store_client.url_of(target.key))).content

    async def test_there_is_no_object_before_complete(self, store_client: StoreClient) -> None:
        """Not even when all parts have been received."""
        target = await store_client.begin(10)
        await store_client.send_all(target, b"0123456789")
        assert not await store_client.has(target.key)
        assert (await store_client.client.get(await store_client.url_of(target.key))).status_code == 404

    async def test_a_part_sent_again_replaces_the_earlier_one(self, store_client: StoreClient) -> None:
        """The last ETag completes the upload, and the last bytes are the object's."""
        target = await store_client.begin(6)
        await store_client.send(target, 1, b"before")
        second = await store_client.send(target, 1, b"after!")
        await store_client.store.complete_multipart(target, [second])
        assert b"after!" == await store_client.read(target.key)

    async def test_a_part_may_be_replaced_several_times(self, store_client: StoreClient) -> None:
        """The last of five versions counts."""
        target = await store_client.begin(7)
        for turn in range(4):
            await store_client.send(target, 1, b"turn %d\n" % turn)
        last = await store_client.send(target, 1, b"turn 4\n")
        await store_client.store.complete_multipart(target, [last])
        assert b"turn 4\n" == await store_client.read(target.key)

    async def test_concurrent_versions_of_a_part_do_not_mix(self, store_client: StoreClient) -> None:
        """Bytes and ETag are those of one of them."""
        contents = [bytes([value]) * PART_SIZE for value in (1, 2, 3)]
        target = await store_client.begin(PART_SIZE)
        sent = await asyncio.gather(*(store_client.send(target, 1, content) for content in contents))
        [held] = await store_client.store.list_parts(target)
        await store_client.store.complete_multipart(target, [CompletedPart(1, held.etag)])
        winner = contents[[part.etag for part in sent].index(held.etag)]
        assert winner == await store_client.read(target.key)

    @pytest.mark.parametrize("sent", [b"", b"123456789", b"01234567890"])
    async def test_a_part_of_another_length_is_refused(self, store_client: StoreClient, sent: bytes) -> None:
        """A part must have exactly the declared length. Nothing of any other is kept."""
        target = await store_client.begin(10)
        [url] = await store_client.urls(target)
        assert 400 <= (await store_client.client.put(url, content=sent)).status_code < 500
        assert [] == await store_client.store.list_parts(target)

    async def test_a_body_without_length_is_refused(self, store_client: StoreClient) -> None:
        """A chunked body could have any length."""
        target = await store_client.begin(10)
        [url] = await store_client.urls(target)
        assert 400 <= (await store_client.client.put(url, content=stream(b"01234", b"56789"))).status_code < 500
        assert [] == await store_client.store.list_parts(target)

    async def test_a_part_url_is_valid_for_its_part_only(self, store_client: StoreClient) -> None:
        """An altered URL is refused, and nothing is kept."""
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

    async def test_part_urls_do_not_permit_reading_nor_download_urls_writing(self, store_client: StoreClient) -> None:
        """The signature covers the method."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        key = await store_client.upload(b"abc")
        assert 403 == (await store_client.client.get(url)).status_code
        assert 403 == (await store_client.client.put(await store_client.url_of(key), content=b"xyz")).status_code
        assert b"abc" == await store_client.read(key)

    async def test_urls_expire(self, store_client: StoreClient) -> None:
        """Both part URLs and download URLs."""
        target = await store_client.begin(3)
        key = await store_client.upload(b"abc")
        [put_url] = await store_client.store.presign_parts(target, [1], expires_in=1)
        get_url = await store_client.store.presign_get(key, filename="a", content_type="text/plain", expires_in=1)

        async def both_refused() -> bool:
            put, get = await store_client.client.put(put_url, content=b"abc"), await store_client.client.get(get_url)
            return (put.status_code, get.status_code) == (403, 403)

        await eventually(both_refused, interval=0.2, why="the URLs have expired")

    async def test_received_parts_are_listed_by_number(self, store_client: StoreClient) -> None:
        """A client that has lost its state learns which parts to send."""
        content = os.urandom(2 * PART_SIZE + 1)
        target = await store_client.begin(len(content))
        third = await store_client.send(target, 3, content[-1:])
        first = await store_client.send(target, 1, content[:PART_SIZE])
        listed = await store_client.store.list_parts(target)
        assert [(1, first.etag, PART_SIZE), (3, third.etag, 1)] == [(p.number, p.etag, p.size) for p in listed]

    async def test_a_missing_part_is_named_and_the_upload_stays_open(self, store_client: StoreClient) -> None:
        """Complete changes nothing when a part is missing."""
        content = os.urandom(PART_SIZE + 5)
        target = await store_client.begin(len(content))
        first = await store_client.send(target, 1, content[:PART_SIZE])
        for parts in ([first], [first, CompletedPart(2, first.etag)], []):
            with pytest.raises(InvalidPartError) as refusal:
                await store_client.store.complete_multipart(target, parts)
            assert refusal.value.number == (2 if parts else 1)
        second = await store_client.send(target, 2, content[PART_SIZE:])
        await store_client.store.complete_multipart(target, [first, second])
        assert content == await store_client.read(target.key)

    async def test_a_part_with_a_wrong_etag_is_named_and_the_upload_stays_open(self, store_client: StoreClient) -> None:
        """Complete changes nothing when an ETag does not match."""
        target = await store_client.begin(3)
        part = await store_client.send(target, 1, b"abc")
        with pytest.raises(InvalidPartError) as refusal:
            await store_client.store.complete_multipart(target, [CompletedPart(1, "0" * len(part.etag))])
        assert refusal.value.number == 1
        assert not await store_client.has(target.key)
        await store_client.store.complete_multipart(target, [part])

    async def test_parts_beyond_the_last_or_out_of_order_are_refused(self, store_client: StoreClient) -> None:
        """Complete requires all parts in ascending order, and no others."""
        content = os.urandom(PART_SIZE + 1)
        target = await store_client.begin(len(content))
        first, second = await store_client.send_all(target, content)
        for parts in ([second, first], [first, first], [first, second, CompletedPart(3, second.etag)]):
            with pytest.raises(InvalidPartError):
                await store_client.store.complete_multipart(target, parts)
        await store_client.store.complete_multipart(target, [first, second])

    async def test_an_aborted_upload_no_longer_exists(self, store_client: StoreClient) -> None:
        """Nothing can be sent, listed or completed. A second abort is not an error."""
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
        """An id that was never issued is treated like that of an aborted upload."""
        target = UploadTarget(new_key(), new_id(), 3, 3)
        await store_client.store.abort_multipart(target.key, target.upload_id)
        with pytest.raises(UploadNotFoundError):
            await store_client.store.list_parts(target)

    async def test_an_upload_can_be_completed_once(self, store_client: StoreClient) -> None:
        """A second complete finds no upload, and a late abort does not affect the object."""
        target = await store_client.begin(3)
        part = await store_client.send(target, 1, b"abc")
        await store_client.store.complete_multipart(target, [part])
        with pytest.raises(UploadNotFoundError):
            await store_client.store.complete_multipart(target, [part])
        await store_client.store.abort_multipart(target.key, target.upload_id)
        assert b"abc" == await store_client.read(target.key)

    async def test_a_part_after_complete_is_refused(self, store_client: StoreClient) -> None:
        """Objects are immutable."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        await store_client.store.complete_multipart(target, [await store_client.send(target, 1, b"abc")])
        assert 404 == (await store_client.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await store_client.read(target.key)

    async def test_concurrent_completes_create_one_object(self, store_client: StoreClient) -> None:
        """At least one succeeds, the others find no upload, and the object is complete."""
        content = os.urandom(PART_SIZE + 100)
        target = await store_client.begin(len(content))
        parts = await store_client.send_all(target, content)
        calls = (store_client.store.complete_multipart(target, parts) for _ in range(4))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert any(not isinstance(outcome, BaseException) for outcome in outcomes)
        assert all(isinstance(o, UploadNotFoundError) for o in outcomes if isinstance(o, BaseException))
        assert content == await store_client.read(target.key)

    async def test_either_complete_or_a_concurrent_abort_succeeds(self, store_client: StoreClient) -> None:
        """The object is complete or absent. The upload no longer exists in either case."""
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
        """Zero bytes are a valid size."""
        target = await store_client.begin(0)
        assert 1 == target.part_count
        await store_client.store.complete_multipart(target, [await store_client.send(target, 1, b"")])
        assert 0 == (await store_client.store.head(target.key)).size
        assert b"" == await store_client.read(target.key)
        response = await store_client.client.get(await store_client.url_of(target.key))
        assert (200, b"") == (response.status_code, response.content)

    async def test_ten_thousand_urls_are_presigned_quickly(self, store_client: StoreClient) -> None:
        """An upload may have this many parts. Each URL is valid for its own part."""
        target = await store_client.begin(10_000 * 10 - 3, part_size=10)
        async with asyncio.timeout(60):
            urls = await store_client.urls(target)
        assert 10_000 == len(set(urls))
        assert 200 == (await store_client.client.put(urls[9_999], content=b"1234567")).status_code
        assert 200 == (await store_client.client.put(urls[6_788], content=b"0123456789")).status_code
        assert [(6_789, 10), (10_000, 7)] == [(p.number, p.size) for p in await store_client.store.list_parts(target)]

    async def test_no_part_numbers_yield_no_urls(self, store_client: StoreClient) -> None:
        """An empty list is not an error."""
        assert [] == await store_client.store.presign_parts(await store_client.begin(3), [], expires_in=60)
