"""What every object store must do, whatever it is made of. Clients are real: they speak HTTP to presigned URLs."""

import asyncio
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from blake3 import blake3

from metastore.kit.ids import new_id
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    ObjectNotFoundError,
    ObjectStore,
    UploadNotFoundError,
    UploadTarget,
)
from tests.fixtures.waiting import eventually

PART_SIZE = 5 * 2**20
ORIGIN = "https://drive.example.org"


@dataclass
class Shelf:
    """A store, and a client that can reach the URLs it makes."""

    store: ObjectStore
    client: httpx.AsyncClient

    async def begin(self, size: int, part_size: int = PART_SIZE) -> UploadTarget:
        """Open an upload under a new key."""
        key = new_key()
        upload_id = await self.store.create_multipart(
            key, size=size, part_size=part_size, content_type="application/octet-stream"
        )
        return UploadTarget(key, upload_id, size, part_size)

    async def urls(self, target: UploadTarget) -> list[str]:
        """A URL for each part."""
        return await self.store.presign_parts(target, range(1, target.part_count + 1), expires_in=600)

    async def send(self, target: UploadTarget, number: int, content: bytes) -> CompletedPart:
        """PUT a part to its URL and return it as complete wants it."""
        [url] = await self.store.presign_parts(target, [number], expires_in=600)
        answer = await self.client.put(url, content=content)
        assert answer.status_code == 200, answer.text
        return CompletedPart(number, answer.headers["etag"].strip('"'))

    async def send_all(self, target: UploadTarget, content: bytes) -> list[CompletedPart]:
        """PUT all parts, one after the other."""
        numbers = range(1, target.part_count + 1)
        return [await self.send(target, number, part_of(content, target, number)) for number in numbers]

    async def upload(self, content: bytes, part_size: int = PART_SIZE) -> str:
        """Store an object in parts and return its key."""
        target = await self.begin(len(content), part_size)
        await self.store.complete_multipart(target, await self.send_all(target, content))
        return target.key

    async def url_of(self, key: str, *, filename: str = "file.bin", head: bool = False, inline: bool = False) -> str:
        """A URL to download the object by."""
        return await self.store.presign_get(
            key, filename=filename, content_type="text/plain", inline=inline, head=head, expires_in=600
        )

    async def read(self, key: str) -> bytes:
        """The object as the product itself reads it."""
        return b"".join([chunk async for chunk in self.store.read(key)])

    async def has(self, key: str) -> bool:
        """Whether there is an object under the key."""
        try:
            await self.store.head(key)
        except ObjectNotFoundError:
            return False
        return True


def new_key() -> str:
    """A key like those that the product makes."""
    return f"files/{new_id()}"


def part_of(content: bytes, target: UploadTarget, number: int) -> bytes:
    """The bytes of part ``number``."""
    start = (number - 1) * target.part_size
    return content[start : start + target.part_length(number)]


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    """An async iterator over ``chunks``."""
    for chunk in chunks:
        yield chunk


class ObjectStoreContract(ABC):
    """Inherit this, and provide the fixture ``shelf``."""

    @abstractmethod
    def shelf(self) -> Shelf:
        """A fixture: a store, with pages of ``ORIGIN`` allowed."""

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
        async with asyncio.timeout(5):
            urls = await shelf.urls(target)
        assert 10_000 == len(set(urls))
        assert 200 == (await shelf.client.put(urls[9_999], content=b"1234567")).status_code
        assert 200 == (await shelf.client.put(urls[6_788], content=b"0123456789")).status_code
        assert [(6_789, 10), (10_000, 7)] == [(p.number, p.size) for p in await shelf.store.list_parts(target)]

    async def test_no_numbers_no_urls(self, shelf: Shelf) -> None:
        """Asking for nothing gives nothing."""
        assert [] == await shelf.store.presign_parts(await shelf.begin(3), [], expires_in=60)

    async def test_a_checksum_describes_itself(self, shelf: Shelf) -> None:
        """Anybody who has the bytes can compute it again from its own name."""
        content = os.urandom(PART_SIZE + 77)
        for key in (await shelf.upload(content), await self._put(shelf, content)):
            checksum = (await shelf.store.head(key)).checksum
            assert checksum is not None
            assert checksum == described(checksum.partition(":")[0], content)

    async def test_downloads_can_be_resumed_by_range(self, shelf: Shelf) -> None:
        """A range from the middle, the end or to the end is a 206 with just those bytes."""
        content = os.urandom(100_000)
        url = await shelf.url_of(await shelf.upload(content))
        for asked, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=500-999", 500, 1000),
            ("bytes=99990-", 99_990, 100_000),
            ("bytes=-10", 99_990, 100_000),
            ("bytes=99990-200000", 99_990, 100_000),
        ):
            answer = await shelf.client.get(url, headers={"Range": asked})
            assert (206, content[start:end]) == (answer.status_code, answer.content), asked
            assert f"bytes {start}-{end - 1}/100000" == answer.headers["content-range"]

    async def test_a_range_beyond_the_end_is_refused(self, shelf: Shelf) -> None:
        """A 416 tells the real size."""
        url = await shelf.url_of(await shelf.upload(b"0123456789"))
        assert 416 == (await shelf.client.get(url, headers={"Range": "bytes=10-"})).status_code

    async def test_what_the_client_has_is_not_sent_again(self, shelf: Shelf) -> None:
        """If-None-Match with the object's ETag is a 304."""
        key = await shelf.upload(b"0123456789")
        url = await shelf.url_of(key)
        etag = (await shelf.client.get(url)).headers["etag"]
        assert (await shelf.store.head(key)).etag == etag.strip('"')
        assert 304 == (await shelf.client.get(url, headers={"If-None-Match": etag})).status_code

    async def test_head_tells_size_and_name_without_the_bytes(self, shelf: Shelf) -> None:
        """HEAD is a GET without its body."""
        url = await shelf.url_of(await shelf.upload(b"0123456789"), head=True)
        answer = await shelf.client.head(url)
        assert (200, b"", "10") == (answer.status_code, answer.content, answer.headers["content-length"])
        assert "bytes" == answer.headers["accept-ranges"]

    async def test_a_download_keeps_its_name_in_any_script(self, shelf: Shelf) -> None:
        """The name arrives by RFC 8187, whatever it is made of, and the type as it was signed."""
        key = await shelf.upload(b"x")
        answer = await shelf.client.get(await shelf.url_of(key, filename='Báo cáo "Q3"; 100% – 最終.pdf'))
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment; filename=")
        assert disposition.endswith(
            "filename*=UTF-8''B%C3%A1o%20c%C3%A1o%20%22Q3%22%3B%20100%25%20%E2%80%93%20%E6%9C%80%E7%B5%82.pdf"
        )
        assert "text/plain" == answer.headers["content-type"]
        shown = await shelf.client.get(await shelf.url_of(key, filename="a.txt", inline=True))
        assert 'inline; filename="a.txt"' == shown.headers["content-disposition"]

    async def test_a_name_cannot_add_headers(self, shelf: Shelf) -> None:
        """Line ends and other controls are left out of the name, and an odd type becomes a harmless one."""
        key = await shelf.upload(b"x")
        url = await shelf.store.presign_get(
            key, filename="a\r\nSet-Cookie: x=1\x00.txt", content_type="text/html\r\nX-Bad: 1", expires_in=60
        )
        answer = await shelf.client.get(url)
        assert 200 == answer.status_code
        assert "set-cookie" not in answer.headers
        assert 'attachment; filename="aSet-Cookie: x=1.txt"' == answer.headers["content-disposition"]
        assert "application/octet-stream" == answer.headers["content-type"]

    async def test_pages_of_the_product_may_send_parts_and_read_their_etags(self, shelf: Shelf) -> None:
        """A browser asks first, and then needs the ETag exposed."""
        target = await shelf.begin(3)
        [url] = await shelf.urls(target)
        asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        preflight = await shelf.client.options(url, headers=asking)
        assert preflight.is_success
        assert preflight.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        answer = await shelf.client.put(url, content=b"abc", headers={"Origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "etag" in answer.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("size", [0, 1, 2**20 + 1, 9 * 2**20])
    async def test_a_small_object_is_put_in_one_go(self, shelf: Shelf, size: int) -> None:
        """What was put is what is read."""
        content = os.urandom(size)
        key = await self._put(shelf, content)
        assert size == (await shelf.store.head(key)).size
        assert content == await shelf.read(key)

    @pytest.mark.parametrize("size", [5, 7, 9 * 2**20 + 1])
    async def test_a_stream_of_another_length_keeps_nothing(self, shelf: Shelf, size: int) -> None:
        """Declared six bytes, or more than nine mebibytes, and got something else."""
        key = new_key()
        declared = 6 if size < 10 else 9 * 2**20
        with pytest.raises(ValueError, match="bytes"):
            await shelf.store.put(key, stream(bytes(size)), size=declared, content_type="text/plain")
        assert not await shelf.has(key)
        assert key not in [upload.key async for upload in shelf.store.list_multiparts()]

    async def test_the_product_reads_any_slice(self, shelf: Shelf) -> None:
        """From an offset, for a length, to the end, and beyond it."""
        content = os.urandom(2_000_000)
        key = await self._put(shelf, content)
        for offset, length in ((0, 10), (1_000_000, 700_000), (1_999_990, None), (1_999_990, 50), (2_000_000, None)):
            got = b"".join([chunk async for chunk in shelf.store.read(key, offset=offset, length=length)])
            assert content[offset : None if length is None else offset + length] == got

    async def test_what_is_not_there_is_not_found(self, shelf: Shelf) -> None:
        """Facts, bytes and downloads of an absent object."""
        key = new_key()
        with pytest.raises(ObjectNotFoundError):
            await shelf.store.head(key)
        with pytest.raises(ObjectNotFoundError):
            await shelf.read(key)
        assert 404 == (await shelf.client.get(await shelf.url_of(key))).status_code

    async def test_deleted_objects_are_gone_at_once(self, shelf: Shelf) -> None:
        """Also for those who hold a URL that still holds; absent keys are passed over."""
        keys = [await self._put(shelf, b"abc") for _ in range(3)]
        url = await shelf.url_of(keys[0])
        assert 200 == (await shelf.client.get(url)).status_code
        await shelf.store.delete([*keys[:2], new_key()])
        assert [False, False, True] == [await shelf.has(key) for key in keys]
        assert 404 == (await shelf.client.get(url)).status_code

    async def test_objects_are_listed_by_prefix(self, shelf: Shelf) -> None:
        """Every object whose key starts so, and no other."""
        prefix = f"renditions/{new_id()}/"
        keys = {f"{prefix}{name}" for name in ("a", "b/c", "d.m4s")}
        for key in keys:
            await shelf.store.put(key, stream(b"abc"), size=3, content_type="text/plain")
        await self._put(shelf, b"other")
        listed = {(item.key, item.size) async for item in shelf.store.list_objects(prefix)}
        assert {(key, 3) for key in keys} == listed

    async def test_open_uploads_are_listed(self, shelf: Shelf) -> None:
        """What was begun and neither completed nor aborted, with the time of its start."""
        begun, aborted, completed = [await shelf.begin(3) for _ in range(3)]
        await shelf.store.abort_multipart(aborted.key, aborted.upload_id)
        await shelf.store.complete_multipart(completed, await shelf.send_all(completed, b"abc"))
        listed = {upload.upload_id: upload async for upload in shelf.store.list_multiparts()}
        assert begun.key == listed[begun.upload_id].key
        assert listed[begun.upload_id].started_at.tzinfo is not None
        assert not {aborted.upload_id, completed.upload_id} & listed.keys()

    async def test_a_running_store_says_so(self, shelf: Shelf) -> None:
        """The readiness check passes."""
        await shelf.store.check()

    async def _put(self, shelf: Shelf, content: bytes) -> str:
        key = new_key()
        halves = stream(content[: len(content) // 2], content[len(content) // 2 :])
        await shelf.store.put(key, halves, size=len(content), content_type="text/plain")
        return key


def described(name: str, content: bytes) -> str:
    """The checksum of ``content`` by the algorithm and block size that ``name`` tells."""
    algorithm, _, block = name.partition("-")
    if not block:
        return f"{name}:{_digest(algorithm, content).hex()}"
    size = int(block)
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    return f"{name}:{_digest(algorithm, b''.join(_digest(algorithm, block) for block in blocks)).hex()}"


def _digest(algorithm: str, content: bytes) -> bytes:
    if algorithm == "blake3":
        return blake3(content).digest()
    return hashlib.new(algorithm, content, usedforsecurity=False).digest()
