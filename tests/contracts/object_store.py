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
from tests.contracts.lasting_reads import LastingReadsContract
from tests.contracts.stored_objects import StoredObjectsContract
from tests.fixtures.shelf import PART_SIZE, Shelf, new_key, part_of, stream
from tests.fixtures.waiting import eventually


class ObjectStoreContract(StoredObjectsContract, LastingReadsContract):
    """Inherit this, and provide the fixtures ``shelf`` and ``twin``."""

    async def test_parts_sent_in_any_order_become_the_object(self, shelf: Shelf) -> None:
        """The last part first is as good as the first part first."""
        content = os.urandom(2 * PART_SIZE + 12345)
        target = await shelf.begin(len(content))
        parts = [await shelf.send(target, number, part_of(content, target, number)) for number in (3, 1, 2)]
        stored = await shelf.store.complete_multipart(target, sorted(parts, key=lambda part: part.number))
        assert len(content) == stored.size
        assert content == await shelf.read(target.key)

    async def test_parts_may_be_sent_at_the_same_time(self, shelf: Shelf) -> None:
        """Three parts at once do not disturb each other."""
        content = os.urandom(3 * PART_SIZE)
        target = await shelf.begin(len(content))
        sending = (shelf.send(target, number, part_of(content, target, number)) for number in (1, 2, 3))
        await shelf.store.complete_multipart(target, await asyncio.gather(*sending))
        assert content == (await shelf.client.get(await shelf.url_of(target.key))).content

    async def test_nothing_is_under_the_key_before_complete(self, shelf: Shelf) -> None:
        """An upload is no object yet, even when all its parts are there."""
        target = await shelf.begin(10)
        await shelf.send_all(target, b"0123456789")
        assert not await shelf.has(target.key)
        assert (await shelf.client.get(await shelf.url_of(target.key))).status_code == 404

    async def test_a_part_sent_again_replaces_the_earlier_one(self, shelf: Shelf) -> None:
        """The ETag that the last sending gave completes, and its bytes are the object's."""
        target = await shelf.begin(6)
        await shelf.send(target, 1, b"before")
        second = await shelf.send(target, 1, b"after!")
        await shelf.store.complete_multipart(target, [second])
        assert b"after!" == await shelf.read(target.key)

    async def test_a_part_sent_again_and_again_leaves_the_last(self, shelf: Shelf) -> None:
        """Five sendings of one part, and the fifth holds."""
        target = await shelf.begin(7)
        for turn in range(4):
            await shelf.send(target, 1, b"turn %d\n" % turn)
        last = await shelf.send(target, 1, b"turn 4\n")
        await shelf.store.complete_multipart(target, [last])
        assert b"turn 4\n" == await shelf.read(target.key)

    async def test_one_part_sent_at_the_same_time_is_wholly_one_of_them(self, shelf: Shelf) -> None:
        """Bytes and ETag of two sendings never mix."""
        contents = [bytes([value]) * PART_SIZE for value in (1, 2, 3)]
        target = await shelf.begin(PART_SIZE)
        sent = await asyncio.gather(*(shelf.send(target, 1, content) for content in contents))
        [held] = await shelf.store.list_parts(target)
        await shelf.store.complete_multipart(target, [CompletedPart(1, held.etag)])
        winner = contents[[part.etag for part in sent].index(held.etag)]
        assert winner == await shelf.read(target.key)

    @pytest.mark.parametrize("sent", [b"", b"123456789", b"01234567890"])
    async def test_a_part_of_another_length_is_refused(self, shelf: Shelf, sent: bytes) -> None:
        """Neither less nor more than the declared length is taken, and nothing is kept."""
        target = await shelf.begin(10)
        [url] = await shelf.urls(target)
        assert 400 <= (await shelf.client.put(url, content=sent)).status_code < 500
        assert [] == await shelf.store.list_parts(target)

    async def test_a_body_without_length_is_refused(self, shelf: Shelf) -> None:
        """A chunked body could be of any length."""
        target = await shelf.begin(10)
        [url] = await shelf.urls(target)
        assert 400 <= (await shelf.client.put(url, content=stream(b"01234", b"56789"))).status_code < 500
        assert [] == await shelf.store.list_parts(target)

    async def test_a_url_serves_its_own_part_only(self, shelf: Shelf) -> None:
        """A URL that was changed anywhere is refused, and nothing is kept."""
        target = await shelf.begin(2 * PART_SIZE)
        other = await shelf.begin(2 * PART_SIZE)
        [url, _] = await shelf.urls(target)
        [_, second_of_other] = await shelf.urls(other)
        changed = url[:-1] + ("0" if url[-1] != "0" else "1")
        signature = url[-20:]
        for bad in (changed, second_of_other[:-20] + signature, url.replace(target.key, other.key)):
            assert 403 == (await shelf.client.put(bad, content=bytes(PART_SIZE))).status_code
        assert [] == await shelf.store.list_parts(target)
        assert [] == await shelf.store.list_parts(other)

    async def test_a_part_url_does_not_read_and_a_read_url_does_not_write(self, shelf: Shelf) -> None:
        """The method is part of what was signed."""
        target = await shelf.begin(3)
        [url] = await shelf.urls(target)
        key = await shelf.upload(b"abc")
        assert 403 == (await shelf.client.get(url)).status_code
        assert 403 == (await shelf.client.put(await shelf.url_of(key), content=b"xyz")).status_code
        assert b"abc" == await shelf.read(key)

    async def test_urls_expire(self, shelf: Shelf) -> None:
        """After its time a URL opens nothing."""
        target = await shelf.begin(3)
        key = await shelf.upload(b"abc")
        [put_url] = await shelf.store.presign_parts(target, [1], expires_in=1)
        get_url = await shelf.store.presign_get(key, filename="a", content_type="text/plain", expires_in=1)

        async def both_refused() -> bool:
            put, get = await shelf.client.put(put_url, content=b"abc"), await shelf.client.get(get_url)
            return (put.status_code, get.status_code) == (403, 403)

        await eventually(both_refused, interval=0.2, why="the URLs have expired")

    async def test_received_parts_are_listed_by_number(self, shelf: Shelf) -> None:
        """A client that lost its memory finds out what it has to send."""
        content = os.urandom(2 * PART_SIZE + 1)
        target = await shelf.begin(len(content))
        third = await shelf.send(target, 3, content[-1:])
        first = await shelf.send(target, 1, content[:PART_SIZE])
        listed = await shelf.store.list_parts(target)
        assert [(1, first.etag, PART_SIZE), (3, third.etag, 1)] == [(p.number, p.etag, p.size) for p in listed]

    async def test_a_missing_part_is_named_and_the_upload_goes_on(self, shelf: Shelf) -> None:
        """Complete changes nothing when a part is missing."""
        content = os.urandom(PART_SIZE + 5)
        target = await shelf.begin(len(content))
        first = await shelf.send(target, 1, content[:PART_SIZE])
        for named in ([first], [first, CompletedPart(2, first.etag)], []):
            with pytest.raises(InvalidPartError) as refusal:
                await shelf.store.complete_multipart(target, named)
            assert refusal.value.number == (2 if named else 1)
        second = await shelf.send(target, 2, content[PART_SIZE:])
        await shelf.store.complete_multipart(target, [first, second])
        assert content == await shelf.read(target.key)

    async def test_a_wrong_etag_is_named_and_the_upload_goes_on(self, shelf: Shelf) -> None:
        """Complete changes nothing when an ETag is not that of the part."""
        target = await shelf.begin(3)
        part = await shelf.send(target, 1, b"abc")
        with pytest.raises(InvalidPartError) as refusal:
            await shelf.store.complete_multipart(target, [CompletedPart(1, "0" * len(part.etag))])
        assert refusal.value.number == 1
        assert not await shelf.has(target.key)
        await shelf.store.complete_multipart(target, [part])

    async def test_parts_beyond_the_last_or_out_of_order_are_refused(self, shelf: Shelf) -> None:
        """Complete takes the parts from one to the last, in order, and no other."""
        content = os.urandom(PART_SIZE + 1)
        target = await shelf.begin(len(content))
        first, second = await shelf.send_all(target, content)
        for named in ([second, first], [first, first], [first, second, CompletedPart(3, second.etag)]):
            with pytest.raises(InvalidPartError):
                await shelf.store.complete_multipart(target, named)
        await shelf.store.complete_multipart(target, [first, second])

    async def test_after_abort_the_upload_is_gone(self, shelf: Shelf) -> None:
        """Nothing can be sent, listed or completed; a second abort is no error."""
        target = await shelf.begin(3)
        [url] = await shelf.urls(target)
        part = await shelf.send(target, 1, b"abc")
        await shelf.store.abort_multipart(target.key, target.upload_id)
        await shelf.store.abort_multipart(target.key, target.upload_id)
        with pytest.raises(UploadNotFoundError):
            await shelf.store.list_parts(target)
        with pytest.raises(UploadNotFoundError):
            await shelf.store.complete_multipart(target, [part])
        assert 404 == (await shelf.client.put(url, content=b"abc")).status_code
        assert not await shelf.has(target.key)

    async def test_an_unknown_upload_is_not_found(self, shelf: Shelf) -> None:
        """An id that nobody gave out is no different from an aborted one."""
        target = UploadTarget(new_key(), new_id(), 3, 3)
        await shelf.store.abort_multipart(target.key, target.upload_id)
        with pytest.raises(UploadNotFoundError):
            await shelf.store.list_parts(target)

    async def test_complete_works_once(self, shelf: Shelf) -> None:
        """The second complete finds no upload, and an abort that comes late leaves the object alone."""
        target = await shelf.begin(3)
        part = await shelf.send(target, 1, b"abc")
        await shelf.store.complete_multipart(target, [part])
        with pytest.raises(UploadNotFoundError):
            await shelf.store.complete_multipart(target, [part])
        await shelf.store.abort_multipart(target.key, target.upload_id)
        assert b"abc" == await shelf.read(target.key)

    async def test_a_part_after_complete_is_refused(self, shelf: Shelf) -> None:
        """An object never changes."""
        target = await shelf.begin(3)
        [url] = await shelf.urls(target)
        await shelf.store.complete_multipart(target, [await shelf.send(target, 1, b"abc")])
        assert 404 == (await shelf.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await shelf.read(target.key)

    async def test_completes_at_the_same_time_make_one_object(self, shelf: Shelf) -> None:
        """Whoever comes late finds no upload; the object is whole."""
        content = os.urandom(PART_SIZE + 100)
        target = await shelf.begin(len(content))
        parts = await shelf.send_all(target, content)
        calls = (shelf.store.complete_multipart(target, parts) for _ in range(4))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert any(not isinstance(outcome, BaseException) for outcome in outcomes)
        assert all(isinstance(o, UploadNotFoundError) for o in outcomes if isinstance(o, BaseException))
        assert content == await shelf.read(target.key)

    async def test_complete_against_abort_has_one_winner(self, shelf: Shelf) -> None:
        """Either the whole object is there or nothing; the upload is gone in any case."""
        for turn in range(6):
            target = await shelf.begin(3)
            part = await shelf.send(target, 1, b"abc")
            calls = [
                shelf.store.complete_multipart(target, [part]),
                shelf.store.abort_multipart(target.key, target.upload_id),
            ]
            await asyncio.gather(*(calls if turn % 2 else reversed(calls)), return_exceptions=True)
            if await shelf.has(target.key):
                assert b"abc" == await shelf.read(target.key)
            with pytest.raises(UploadNotFoundError):
                await shelf.store.list_parts(target)

    async def test_an_empty_object_has_one_empty_part(self, shelf: Shelf) -> None:
        """Zero bytes are a fine size."""
        target = await shelf.begin(0)
        assert 1 == target.part_count
        await shelf.store.complete_multipart(target, [await shelf.send(target, 1, b"")])
        assert 0 == (await shelf.store.head(target.key)).size
        assert b"" == await shelf.read(target.key)
        answer = await shelf.client.get(await shelf.url_of(target.key))
        assert (200, b"") == (answer.status_code, answer.content)

    async def test_ten_thousand_urls_are_made_quickly(self, shelf: Shelf) -> None:
        """As many parts as an upload may have; each URL serves its own."""
        target = await shelf.begin(10_000 * 10 - 3, part_size=10)
        async with asyncio.timeout(60):
            urls = await shelf.urls(target)
        assert 10_000 == len(set(urls))
        assert 200 == (await shelf.client.put(urls[9_999], content=b"1234567")).status_code
        assert 200 == (await shelf.client.put(urls[6_788], content=b"0123456789")).status_code
        assert [(6_789, 10), (10_000, 7)] == [(p.number, p.size) for p in await shelf.store.list_parts(target)]

    async def test_no_numbers_no_urls(self, shelf: Shelf) -> None:
        """Asking for nothing gives nothing."""
        assert [] == await shelf.store.presign_parts(await shelf.begin(3), [], expires_in=60)
