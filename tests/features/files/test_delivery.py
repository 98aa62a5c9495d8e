"""Presigned URLs of originals, pictures and streams."""

from collections.abc import Awaitable, Callable

import pytest

from metastore.features.files.delivery import Delivery, Download
from metastore.kit.context import RequestContext, open_context
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import StoreUnavailableError
from tests.fixtures.memory_store import MemoryObjectStore

TTL = 60
FILE = Download("file-1", "owner-1", "film.mp4", 5, "video/mp4", "files/1")


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def delivery(store: MemoryObjectStore) -> Delivery:
    return Delivery(store, TTL)


async def test_an_original_is_downloaded_as_an_attachment_under_its_name(delivery: Delivery) -> None:
    url = await delivery.download_url(FILE)

    assert url == "/memory/files/1?filename=film.mp4&type=video/mp4&inline=False&head=False&expires=60"


async def test_a_url_for_head_is_another_one(delivery: Delivery) -> None:
    """S3 signs the method."""
    assert "head=True" in await delivery.download_url(FILE, head=True)


async def test_an_original_is_shown_inline_for_as_long_as_it_is_needed(delivery: Delivery) -> None:
    assert await delivery.inline_url(FILE, 7200) == "/memory/files/1?type=video/mp4&keep=7200"


async def test_pictures_keep_the_order_of_their_keys(delivery: Delivery) -> None:
    """Their URLs live as long as those of downloads, unless the viewer needs them for longer."""
    assert await delivery.picture_urls(["thumbnails/2", "thumbnails/1"]) == [
        "/memory/thumbnails/2?type=image/webp&keep=60",
        "/memory/thumbnails/1?type=image/webp&keep=60",
    ]
    assert await delivery.picture_urls(["thumbnails/1"], 7200) == ["/memory/thumbnails/1?type=image/webp&keep=7200"]


async def test_segments_have_the_type_of_their_rendition(delivery: Delivery) -> None:
    assert await delivery.segment_urls(["r/init", "r/1"], "audio/mp4", 7200) == [
        "/memory/r/init?type=audio/mp4&keep=7200",
        "/memory/r/1?type=audio/mp4&keep=7200",
    ]


async def test_urls_are_absolute_in_a_request(delivery: Delivery) -> None:
    """With the origin that the client used, since clients and players may resolve them against another one."""
    with open_context(RequestContext("request-1", origin="https://drive.example.org")):
        urls = [
            await delivery.download_url(FILE),
            await delivery.inline_url(FILE, TTL),
            *await delivery.picture_urls(["thumbnails/1"]),
            *await delivery.segment_urls(["r/1"], "video/mp4", TTL),
        ]

    assert all(url.startswith("https://drive.example.org/memory/") for url in urls)


async def test_no_keys_ask_nobody(delivery: Delivery, store: MemoryObjectStore) -> None:
    """A folder without pictures is listed during an outage too."""
    store.offline = True

    assert await delivery.picture_urls([]) == []


@pytest.mark.parametrize(
    "presign",
    [
        pytest.param(lambda delivery: delivery.download_url(FILE), id="an original"),
        pytest.param(lambda delivery: delivery.inline_url(FILE, TTL), id="an original inline"),
        pytest.param(lambda delivery: delivery.picture_urls(["thumbnails/1"]), id="a picture"),
        pytest.param(lambda delivery: delivery.segment_urls(["r/1"], "video/mp4", TTL), id="a segment"),
    ],
)
async def test_an_outage_of_the_store_is_reported_as_503(
    delivery: Delivery, store: MemoryObjectStore, presign: Callable[[Delivery], Awaitable[object]]
) -> None:
    store.fail_next = {name: StoreUnavailableError("outage") for name in ("presign_get", "presign_reads")}

    with pytest.raises(Problem) as refused:
        await presign(delivery)

    assert refused.value.status == 503
