"""The contract of the ``ObjectStore`` port for stored objects. Presigned URLs are used over HTTP."""

import os
from abc import ABC, abstractmethod

import pytest

from metastore.kit.ids import new_id
from metastore.ports.object_store import NewObject, ObjectNotFoundError
from tests.fixtures.store_client import ORIGIN, PART_SIZE, StoreClient, checksum_of, new_key, stream


class StoredObjectsContract(ABC):
    """The contract for stored objects, inherited by ``ObjectStoreContract``."""

    @abstractmethod
    def store_client(self) -> StoreClient:
        """Fixture: a store that allows requests from pages of ``ORIGIN``."""

    async def test_a_checksum_names_its_algorithm(self, store_client: StoreClient) -> None:
        """Anyone who has the bytes can compute it."""
        content = os.urandom(PART_SIZE + 77)
        for key in (await store_client.upload(content), await store_client.put(content)):
            checksum = (await store_client.store.head(key)).checksum
            assert checksum is not None
            assert checksum == checksum_of(checksum.partition(":")[0], content)

    @pytest.mark.parametrize("count", [0, 1, 20])
    async def test_small_objects_are_stored_together(self, store_client: StoreClient, count: int) -> None:
        """Each has its own bytes and metadata, as if it had been put by itself."""
        objects = [NewObject(new_key(), os.urandom(number * 1000), "text/plain") for number in range(count)]
        stored = await store_client.store.put_all(objects)
        assert [(new.key, len(new.content)) for new in objects] == [(each.key, each.size) for each in stored]
        for new, each in zip(objects, stored, strict=True):
            assert new.content == await store_client.read(new.key)
            head = await store_client.store.examine(new.key)
            assert (each.etag, each.checksum) == (head.etag, head.checksum)

    async def test_downloads_can_be_resumed_by_range(self, store_client: StoreClient) -> None:
        """A range from the start, the middle or the end is a 206 with exactly those bytes."""
        content = os.urandom(100_000)
        url = await store_client.url_of(await store_client.upload(content))
        for requested, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=500-999", 500, 1000),
            ("bytes=99990-", 99_990, 100_000),
            ("bytes=-10", 99_990, 100_000),
            ("bytes=99990-200000", 99_990, 100_000),
        ):
            response = await store_client.client.get(url, headers={"Range": requested})
            assert (206, content[start:end]) == (response.status_code, response.content), requested
            assert f"bytes {start}-{end - 1}/100000" == response.headers["content-range"]

    async def test_a_range_beyond_the_end_is_refused(self, store_client: StoreClient) -> None:
        """With status 416."""
        url = await store_client.url_of(await store_client.upload(b"0123456789"))
        assert 416 == (await store_client.client.get(url, headers={"Range": "bytes=10-"})).status_code

    async def test_an_object_that_the_client_has_is_not_sent_again(self, store_client: StoreClient) -> None:
        """If-None-Match with the object's ETag yields a 304."""
        key = await store_client.upload(b"0123456789")
        url = await store_client.url_of(key)
        etag = (await store_client.client.get(url)).headers["etag"]
        assert (await store_client.store.head(key)).etag == etag.strip('"')
        assert 304 == (await store_client.client.get(url, headers={"If-None-Match": etag})).status_code

    async def test_head_returns_the_headers_without_the_bytes(self, store_client: StoreClient) -> None:
        """HEAD is a GET without a body."""
        url = await store_client.url_of(await store_client.upload(b"0123456789"), head=True)
        response = await store_client.client.head(url)
        assert (200, b"", "10") == (response.status_code, response.content, response.headers["content-length"])
        assert "bytes" == response.headers["accept-ranges"]

    async def test_a_download_keeps_its_name_in_any_script(self, store_client: StoreClient) -> None:
        """The name is encoded as in RFC 8187, and the content type is the signed one."""
        key = await store_client.upload(b"x")
        response = await store_client.client.get(
            await store_client.url_of(key, filename='Báo cáo "Q3"; 100% – 最終.pdf')
        )
        disposition = response.headers["content-disposition"]
        assert disposition.startswith("attachment; filename=")
        assert disposition.endswith(
            "filename*=UTF-8''B%C3%A1o%20c%C3%A1o%20%22Q3%22%3B%20100%25%20%E2%80%93%20%E6%9C%80%E7%B5%82.pdf"
        )
        assert "text/plain" == response.headers["content-type"]
        shown = await store_client.client.get(await store_client.url_of(key, filename="a.txt", inline=True))
        assert 'inline; filename="a.txt"' == shown.headers["content-disposition"]

    async def test_a_name_cannot_add_headers(self, store_client: StoreClient) -> None:
        """Control characters are removed from the name, and a malformed content type is replaced."""
        key = await store_client.upload(b"x")
        url = await store_client.store.presign_get(
            key, filename="a\r\nSet-Cookie: x=1\x00.txt", content_type="text/html\r\nX-Bad: 1", expires_in=60
        )
        response = await store_client.client.get(url)
        assert 200 == response.status_code
        assert "set-cookie" not in response.headers
        assert 'attachment; filename="aSet-Cookie: x=1.txt"' == response.headers["content-disposition"]
        assert "application/octet-stream" == response.headers["content-type"]

    async def test_pages_of_the_product_may_send_parts_and_read_their_etags(self, store_client: StoreClient) -> None:
        """A browser sends a preflight request first, and needs the ETag header to be exposed."""
        target = await store_client.begin(3)
        [url] = await store_client.urls(target)
        preflight_headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        preflight = await store_client.client.options(url, headers=preflight_headers)
        assert preflight.is_success
        assert preflight.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        response = await store_client.client.put(url, content=b"abc", headers={"Origin": ORIGIN})
        assert response.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "etag" in response.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("size", [0, 1, 2**20 + 1, 9 * 2**20])
    async def test_an_object_can_be_stored_without_parts(self, store_client: StoreClient, size: int) -> None:
        """It is read unchanged."""
        content = os.urandom(size)
        key = await store_client.put(content)
        assert size == (await store_client.store.head(key)).size
        assert content == await store_client.read(key)

    @pytest.mark.parametrize("size", [5, 7, 9 * 2**20 + 1])
    async def test_a_stream_of_another_length_is_refused(self, store_client: StoreClient, size: int) -> None:
        """Nothing is kept of a stream that is shorter or longer than declared."""
        key = new_key()
        declared = 6 if size < 10 else 9 * 2**20
        with pytest.raises(ValueError, match="bytes"):
            await store_client.store.put(key, stream(bytes(size)), size=declared, content_type="text/plain")
        assert not await store_client.has(key)
        assert key not in [upload.key async for upload in store_client.store.list_multiparts()]

    async def test_small_objects_are_read_together(self, store_client: StoreClient) -> None:
        """In the order of their keys; if one is missing, none is returned."""
        contents = [b"", b"one", os.urandom(100_000), *(str(number).encode() for number in range(20))]
        objects = [NewObject(new_key(), content, "text/plain") for content in contents]
        await store_client.store.put_all(objects)
        assert contents == await store_client.store.read_all([new.key for new in objects])
        assert [b"one", b""] == await store_client.store.read_all([objects[1].key, objects[0].key])
        assert [] == await store_client.store.read_all([])
        with pytest.raises(ObjectNotFoundError):
            await store_client.store.read_all([objects[0].key, new_key()])

    async def test_any_slice_can_be_read(self, store_client: StoreClient) -> None:
        """From an offset, for a length, to the end, and beyond it."""
        content = os.urandom(2_000_000)
        key = await store_client.put(content)
        for offset, length in ((0, 10), (1_000_000, 700_000), (1_999_990, None), (1_999_990, 50), (2_000_000, None)):
            got = b"".join([chunk async for chunk in store_client.store.read(key, offset=offset, length=length)])
            assert content[offset : None if length is None else offset + length] == got

    async def test_an_absent_object_is_not_found(self, store_client: StoreClient) -> None:
        """It has neither metadata nor bytes nor a download."""
        key = new_key()
        with pytest.raises(ObjectNotFoundError):
            await store_client.store.head(key)
        with pytest.raises(ObjectNotFoundError):
            await store_client.read(key)
        assert 404 == (await store_client.client.get(await store_client.url_of(key))).status_code

    async def test_deleted_objects_are_unavailable_immediately(self, store_client: StoreClient) -> None:
        """Even through a URL that has not expired. Absent keys are ignored."""
        keys = [await store_client.put(b"abc") for _ in range(3)]
        url = await store_client.url_of(keys[0])
        assert 200 == (await store_client.client.get(url)).status_code
        await store_client.store.delete([*keys[:2], new_key()])
        assert [False, False, True] == [await store_client.has(key) for key in keys]
        assert 404 == (await store_client.client.get(url)).status_code

    async def test_examining_an_intact_object_returns_its_metadata(self, store_client: StoreClient) -> None:
        """Examining an absent object raises ``ObjectNotFoundError``."""
        key = await store_client.put(b"abc")
        assert await store_client.store.head(key) == await store_client.store.examine(key)
        await store_client.store.delete([key])
        with pytest.raises(ObjectNotFoundError):
            await store_client.store.examine(key)

    async def test_objects_are_listed_by_prefix(self, store_client: StoreClient) -> None:
        """Only objects whose key starts with it are listed."""
        prefix = f"renditions/{new_id()}/"
        keys = {f"{prefix}{name}" for name in ("a", "b/c", "d.m4s")}
        for key in keys:
            await store_client.store.put(key, stream(b"abc"), size=3, content_type="text/plain")
        await store_client.put(b"other")
        listed = {(item.key, item.size) async for item in store_client.store.list_objects(prefix)}
        assert {(key, 3) for key in keys} == listed

    async def test_open_uploads_are_listed(self, store_client: StoreClient) -> None:
        """Those that were neither completed nor aborted, with their start time."""
        unfinished, aborted, completed = [await store_client.begin(3) for _ in range(3)]
        await store_client.store.abort_multipart(aborted.key, aborted.upload_id)
        await store_client.store.complete_multipart(completed, await store_client.send_all(completed, b"abc"))
        listed = {upload.upload_id: upload async for upload in store_client.store.list_multiparts()}
        assert unfinished.key == listed[unfinished.upload_id].key
        assert listed[unfinished.upload_id].started_at.tzinfo is not None
        assert not {aborted.upload_id, completed.upload_id} & listed.keys()
        uploads = (unfinished, aborted, completed)
        assert [True, False, False] == [await store_client.store.is_open(each.key, each.upload_id) for each in uploads]
        assert not await store_client.store.is_open(new_key(), unfinished.upload_id)

    async def test_the_check_of_a_running_store_passes(self, store_client: StoreClient) -> None:
        """``check`` is part of the readiness check."""
        await store_client.store.check()
