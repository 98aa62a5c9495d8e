"""The contract of ``ObjectStore.presign_reads``: long-lived URLs for players and lists of thumbnails."""

import os
import time
from abc import ABC, abstractmethod

import pytest

from metastore.ports.object_store import ObjectStore
from tests.fixtures.store_client import ORIGIN, StoreClient, new_key, stream
from tests.fixtures.waiting import eventually

DAY = 24 * 3600


class LastingReadsContract(ABC):
    """The contract of ``presign_reads``, inherited by ``ObjectStoreContract``."""

    @abstractmethod
    def twin(self) -> ObjectStore:
        """A fixture: the same store as opened by another process."""

    async def test_every_key_gets_its_url(self, store_client: StoreClient) -> None:
        """In the order of the keys, each with its bytes, and with the type that was asked for."""
        contents = [os.urandom(1000) for _ in range(3)]
        keys = [await store_client.put(content) for content in contents]
        urls = await store_client.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        responses = [await store_client.client.get(url) for url in urls]
        assert contents == [response.content for response in responses]
        assert {"video/mp4"} == {response.headers["content-type"] for response in responses}

    async def test_no_keys_no_urls_to_read(self, store_client: StoreClient) -> None:
        """Asking for nothing gives nothing."""
        assert [] == await store_client.store.presign_reads([], content_type="video/mp4", expires_in=600)

    async def test_a_key_has_one_url_for_a_while_in_every_process(
        self, store_client: StoreClient, twin: ObjectStore
    ) -> None:
        """Alone or among many, here and elsewhere, so that caches find again what they have."""
        key, other = new_key(), new_key()
        once = await store_client.store.presign_reads([key, other], content_type="video/mp4", expires_in=7 * DAY)
        alone = await twin.presign_reads([key], content_type="video/mp4", expires_in=7 * DAY)
        turned = await twin.presign_reads([other, key], content_type="video/mp4", expires_in=7 * DAY)
        assert [once[0]] == alone
        assert once == turned[::-1]

    async def test_whoever_has_it_may_keep_it(self, store_client: StoreClient) -> None:
        """The response may be cached by the one it was for, and need not be asked for again."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"abc")], content_type="video/mp4", expires_in=600
        )
        caching = (await store_client.client.get(url)).headers["cache-control"]
        directives = {part.strip() for part in caching.split(",")}
        assert {"private", "max-age=600", "immutable"} == directives

    async def test_lasting_urls_serve_ranges(self, store_client: StoreClient) -> None:
        """A piece from the middle."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"0123456789")], content_type="a/b", expires_in=600
        )
        response = await store_client.client.get(url, headers={"Range": "bytes=2-4"})
        assert (206, b"234") == (response.status_code, response.content)

    @pytest.mark.parametrize("origin", [ORIGIN, "https://player.example"])
    async def test_pages_of_any_origin_may_read_pieces(self, store_client: StoreClient, origin: str) -> None:
        """A browser asks first when a range is wanted, and then reads it."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"0123456789")], content_type="a/b", expires_in=600
        )
        asking = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range",
        }
        preflight = await store_client.client.options(url, headers=asking)
        assert preflight.is_success
        assert preflight.headers["access-control-allow-origin"] in (origin, "*")
        assert "GET" in preflight.headers["access-control-allow-methods"]
        assert "range" in preflight.headers["access-control-allow-headers"].lower()
        response = await store_client.client.get(url, headers={"Origin": origin, "Range": "bytes=2-4"})
        assert b"234" == response.content
        assert response.headers["access-control-allow-origin"] in (origin, "*")
        assert "content-range" in response.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("changed", ["key", "type", "time", "signature"])
    async def test_a_lasting_url_opens_what_it_was_made_for_alone(
        self, store_client: StoreClient, changed: str
    ) -> None:
        """Changed anywhere it opens nothing."""
        key, other = await store_client.put(b"mine"), await store_client.put(b"not mine")
        kind = "video-x/mp4-x"
        [url] = await store_client.store.presign_reads([key], content_type=kind, expires_in=599)
        [longer] = await store_client.store.presign_reads([key], content_type=kind, expires_in=598)
        [typed] = await store_client.store.presign_reads([key], content_type="text/html", expires_in=599)
        signature = url[-20:]
        bad = {
            "key": url.replace(key, other),
            "type": typed[:-20] + signature,
            "time": longer[:-20] + signature,
            "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        }[changed]
        assert 200 == (await store_client.client.get(url)).status_code
        assert 403 == (await store_client.client.get(bad)).status_code

    async def test_a_lasting_url_does_not_write(self, store_client: StoreClient) -> None:
        """It is for reading."""
        key = await store_client.put(b"abc")
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=600)
        assert 403 == (await store_client.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await store_client.read(key)

    async def test_lasting_urls_expire(self, store_client: StoreClient) -> None:
        """Not before three quarters of their time, and at the end of it for good."""
        key = await store_client.put(b"abc")
        began = time.time()
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=4)
        response = await store_client.client.get(url)
        assert 200 == response.status_code or time.time() > began + 3

        async def refused() -> bool:
            return (await store_client.client.get(url)).status_code == 403

        await eventually(refused, interval=0.2, why="the URL has expired")

    async def test_what_was_deleted_is_not_served(self, store_client: StoreClient) -> None:
        """A URL that still holds leads nowhere."""
        key = new_key()
        await store_client.store.put(key, stream(b"abc"), size=3, content_type="a/b")
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=600)
        await store_client.store.delete([key])
        assert 404 == (await store_client.client.get(url)).status_code

    async def test_a_film_has_its_urls_in_no_time(self, store_client: StoreClient) -> None:
        """As many as a film of three hours has segments; each serves its own."""
        keys = [new_key() for _ in range(2699)] + [await store_client.put(b"last")]
        await store_client.store.presign_reads(keys[:1], content_type="video/mp4", expires_in=600)
        began = time.perf_counter()
        urls = await store_client.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        assert time.perf_counter() - began < 1
        assert len(keys) == len(set(urls))
        assert b"last" == (await store_client.client.get(urls[-1])).content
