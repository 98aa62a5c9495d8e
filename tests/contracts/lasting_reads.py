"""The contract of ``ObjectStore.presign_reads``: long-lived URLs for players and lists of thumbnails."""

import os
import time
from abc import ABC, abstractmethod

import pytest

from metastore.ports.object_store import ObjectStore
from tests.fixtures.shelf import ORIGIN, Shelf, new_key, stream
from tests.fixtures.waiting import eventually

DAY = 24 * 3600


class LastingReadsContract(ABC):
    """The contract of ``presign_reads``, inherited by ``ObjectStoreContract``."""

    @abstractmethod
    def twin(self) -> ObjectStore:
        """A fixture: the same store as opened by another process."""

    async def test_every_key_gets_its_url(self, shelf: Shelf) -> None:
        """In the order of the keys, each with its bytes, and with the type that was asked for."""
        contents = [os.urandom(1000) for _ in range(3)]
        keys = [await shelf.put(content) for content in contents]
        urls = await shelf.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        answers = [await shelf.client.get(url) for url in urls]
        assert contents == [answer.content for answer in answers]
        assert {"video/mp4"} == {answer.headers["content-type"] for answer in answers}

    async def test_no_keys_no_urls_to_read(self, shelf: Shelf) -> None:
        """Asking for nothing gives nothing."""
        assert [] == await shelf.store.presign_reads([], content_type="video/mp4", expires_in=600)

    async def test_a_key_has_one_url_for_a_while_in_every_process(self, shelf: Shelf, twin: ObjectStore) -> None:
        """Alone or among many, here and elsewhere, so that caches find again what they have."""
        key, other = new_key(), new_key()
        once = await shelf.store.presign_reads([key, other], content_type="video/mp4", expires_in=7 * DAY)
        alone = await twin.presign_reads([key], content_type="video/mp4", expires_in=7 * DAY)
        turned = await twin.presign_reads([other, key], content_type="video/mp4", expires_in=7 * DAY)
        assert [once[0]] == alone
        assert once == turned[::-1]

    async def test_whoever_has_it_may_keep_it(self, shelf: Shelf) -> None:
        """The answer may be cached by the one it was for, and need not be asked for again."""
        [url] = await shelf.store.presign_reads([await shelf.put(b"abc")], content_type="video/mp4", expires_in=600)
        caching = (await shelf.client.get(url)).headers["cache-control"]
        directives = {part.strip() for part in caching.split(",")}
        assert {"private", "max-age=600", "immutable"} == directives

    async def test_lasting_urls_serve_ranges(self, shelf: Shelf) -> None:
        """A piece from the middle."""
        [url] = await shelf.store.presign_reads([await shelf.put(b"0123456789")], content_type="a/b", expires_in=600)
        answer = await shelf.client.get(url, headers={"Range": "bytes=2-4"})
        assert (206, b"234") == (answer.status_code, answer.content)

    @pytest.mark.parametrize("origin", [ORIGIN, "https://player.example"])
    async def test_pages_of_any_origin_may_read_pieces(self, shelf: Shelf, origin: str) -> None:
        """A browser asks first when a range is wanted, and then reads it."""
        [url] = await shelf.store.presign_reads([await shelf.put(b"0123456789")], content_type="a/b", expires_in=600)
        asking = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range",
        }
        preflight = await shelf.client.options(url, headers=asking)
        assert preflight.is_success
        assert preflight.headers["access-control-allow-origin"] in (origin, "*")
        assert "GET" in preflight.headers["access-control-allow-methods"]
        assert "range" in preflight.headers["access-control-allow-headers"].lower()
        answer = await shelf.client.get(url, headers={"Origin": origin, "Range": "bytes=2-4"})
        assert b"234" == answer.content
        assert answer.headers["access-control-allow-origin"] in (origin, "*")
        assert "content-range" in answer.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("changed", ["key", "type", "time", "signature"])
    async def test_a_lasting_url_opens_what_it_was_made_for_alone(self, shelf: Shelf, changed: str) -> None:
        """Changed anywhere it opens nothing."""
        key, other = await shelf.put(b"mine"), await shelf.put(b"not mine")
        kind = "video-x/mp4-x"
        [url] = await shelf.store.presign_reads([key], content_type=kind, expires_in=599)
        [longer] = await shelf.store.presign_reads([key], content_type=kind, expires_in=598)
        [typed] = await shelf.store.presign_reads([key], content_type="text/html", expires_in=599)
        signature = url[-20:]
        bad = {
            "key": url.replace(key, other),
            "type": typed[:-20] + signature,
            "time": longer[:-20] + signature,
            "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        }[changed]
        assert 200 == (await shelf.client.get(url)).status_code
        assert 403 == (await shelf.client.get(bad)).status_code

    async def test_a_lasting_url_does_not_write(self, shelf: Shelf) -> None:
        """It is for reading."""
        key = await shelf.put(b"abc")
        [url] = await shelf.store.presign_reads([key], content_type="a/b", expires_in=600)
        assert 403 == (await shelf.client.put(url, content=b"xyz")).status_code
        assert b"abc" == await shelf.read(key)

    async def test_lasting_urls_expire(self, shelf: Shelf) -> None:
        """Not before three quarters of their time, and at the end of it for good."""
        key = await shelf.put(b"abc")
        began = time.time()
        [url] = await shelf.store.presign_reads([key], content_type="a/b", expires_in=4)
        answer = await shelf.client.get(url)
        assert 200 == answer.status_code or time.time() > began + 3

        async def refused() -> bool:
            return (await shelf.client.get(url)).status_code == 403

        await eventually(refused, interval=0.2, why="the URL has expired")

    async def test_what_was_deleted_is_not_served(self, shelf: Shelf) -> None:
        """A URL that still holds leads nowhere."""
        key = new_key()
        await shelf.store.put(key, stream(b"abc"), size=3, content_type="a/b")
        [url] = await shelf.store.presign_reads([key], content_type="a/b", expires_in=600)
        await shelf.store.delete([key])
        assert 404 == (await shelf.client.get(url)).status_code

    async def test_a_film_has_its_urls_in_no_time(self, shelf: Shelf) -> None:
        """As many as a film of three hours has segments; each serves its own."""
        keys = [new_key() for _ in range(2699)] + [await shelf.put(b"last")]
        await shelf.store.presign_reads(keys[:1], content_type="video/mp4", expires_in=600)
        began = time.perf_counter()
        urls = await shelf.store.presign_reads(keys, content_type="video/mp4", expires_in=600)
        assert time.perf_counter() - began < 1
        assert len(keys) == len(set(urls))
        assert b"last" == (await shelf.client.get(urls[-1])).content
