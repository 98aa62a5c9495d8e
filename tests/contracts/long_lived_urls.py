"""The contract of ``Presigner.presign_reads``: long-lived URLs for players and lists of thumbnails."""

import os
import time
from abc import ABC, abstractmethod

import pytest

from metastore.ports.presigner import Presigner
from tests.fixtures.store_client import ORIGIN, StoreClient, new_key, stream
from tests.fixtures.waiting import eventually

DAY = 24 * 3600


class LongLivedUrlsContract(ABC):
    """The contract of ``presign_reads``, inherited by ``ObjectStoreContract``."""

    @abstractmethod
    def second_store(self) -> Presigner:
        """Fixture: the same store, opened by another process."""

    async def test_each_key_gets_a_url_in_the_order_of_the_keys(self, store_client: StoreClient) -> None:
        """Each URL serves its object with the requested content type."""
        contents = [os.urandom(1000) for _ in range(3)]
        keys = [await store_client.put(content) for content in contents]
        urls = await store_client.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        responses = [await store_client.client.get(url) for url in urls]
        assert contents == [response.content for response in responses]
        assert {"video/mp4"} == {response.headers["content-type"] for response in responses}

    async def test_no_keys_yield_no_urls(self, store_client: StoreClient) -> None:
        """An empty list is not an error."""
        assert [] == await store_client.store.presign_reads([], content_type="video/mp4", expires_in=600)

    async def test_a_key_has_one_url_for_a_while_in_every_process(
        self, store_client: StoreClient, second_store: Presigner
    ) -> None:
        """Whether it is presigned alone or with others, so that caches can reuse what they have."""
        key, other = new_key(), new_key()
        once = await store_client.store.presign_reads([key, other], content_type="video/mp4", expires_in=7 * DAY)
        alone = await second_store.presign_reads([key], content_type="video/mp4", expires_in=7 * DAY)
        reordered = await second_store.presign_reads([other, key], content_type="video/mp4", expires_in=7 * DAY)
        assert [once[0]] == alone
        assert once == reordered[::-1]

    async def test_responses_may_be_cached_by_the_browser(self, store_client: StoreClient) -> None:
        """It need not request the object again while the URL is valid."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"abc")], content_type="video/mp4", expires_in=600
        )
        caching = (await store_client.client.get(url)).headers["cache-control"]
        directives = {part.strip() for part in caching.split(",")}
        assert {"private", "max-age=600", "immutable"} == directives

    async def test_long_lived_urls_serve_ranges(self, store_client: StoreClient) -> None:
        """Here a range from the middle of the object."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"0123456789")], content_type="a/b", expires_in=600
        )
        response = await store_client.client.get(url, headers={"Range": "bytes=2-4"})
        assert (206, b"234") == (response.status_code, response.content)

    @pytest.mark.parametrize("origin", [ORIGIN, "https://player.example"])
    async def test_pages_of_any_origin_may_read_ranges(self, store_client: StoreClient, origin: str) -> None:
        """A browser sends a preflight request before a range request to another origin."""
        [url] = await store_client.store.presign_reads(
            [await store_client.put(b"0123456789")], content_type="a/b", expires_in=600
        )
        preflight_headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range",
        }
        preflight = await store_client.client.options(url, headers=preflight_headers)
        assert preflight.is_success
        assert preflight.headers["access-control-allow-origin"] in (origin, "*")
        assert "GET" in preflight.headers["access-control-allow-methods"]
        assert "range" in preflight.headers["access-control-allow-headers"].lower()
        response = await store_client.client.get(url, headers={"Origin": origin, "Range": "bytes=2-4"})
        assert b"234" == response.content
        assert response.headers["access-control-allow-origin"] in (origin, "*")
        assert "content-range" in response.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("changed", ["key", "type", "time", "signature"])
    async def test_an_altered_long_lived_url_is_refused(self, store_client: StoreClient, changed: str) -> None:
        """The signature covers key, content type and expiry."""
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

    async def test_a_long_lived_url_does_not_permit_writing(self, store_client: StoreClient) -> None:
        """The signature covers the method."""
        key = await store_client.put(b"abc")
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=600)
        assert 403 == (await store_client.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await store_client.read(key)

    async def test_long_lived_urls_expire(self, store_client: StoreClient) -> None:
        """They are valid for at least three quarters of the requested time, and not beyond it."""
        key = await store_client.put(b"abc")
        began = time.time()
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=4)
        response = await store_client.client.get(url)
        assert 200 == response.status_code or time.time() > began + 3

        async def refused() -> bool:
            return (await store_client.client.get(url)).status_code == 403

        await eventually(refused, interval=0.2, why="the URL has expired")

    async def test_deleted_objects_are_not_served(self, store_client: StoreClient) -> None:
        """Even while the URL is valid."""
        key = new_key()
        await store_client.store.put(key, stream(b"abc"), size=3, content_type="a/b")
        [url] = await store_client.store.presign_reads([key], content_type="a/b", expires_in=600)
        await store_client.store.delete([key])
        assert 404 == (await store_client.client.get(url)).status_code

    async def test_the_urls_of_a_long_film_are_presigned_within_a_second(self, store_client: StoreClient) -> None:
        """A film of three hours has this many segments."""
        keys = [new_key() for _ in range(2699)] + [await store_client.put(b"last")]
        await store_client.store.presign_reads(keys[:1], content_type="video/mp4", expires_in=600)
        began = time.perf_counter()
        urls = await store_client.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        assert time.perf_counter() - began < 1
        assert len(keys) == len(set(urls))
        assert b"last" == (await store_client.client.get(urls[-1])).content
