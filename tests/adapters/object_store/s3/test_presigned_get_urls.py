"""GET URLs presigned by this adapter equal those of the client library."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from metastore.adapters.object_store.s3.presigned_get_urls import get_url_template

SECRET = "secret+/="
KEYS = ["files/a_b.c-d/hls/x/init.mp4", "files/a_b.c-d/hls/x/000000.m4s", "files/e"]
ENDPOINTS = [
    ("https://s3.example.org:8443", "path"),
    ("http://127.0.0.1:8333", "path"),
    ("http://s3.example.org:80", "path"),
    ("https://s3.example.org:443/below/here", "path"),
    ("https://s3.example.org", "virtual"),
    (None, "auto"),
]


async def library_urls(endpoint: str | None, style: str, token: str | None) -> list[str]:
    """Return the library's URLs, all presigned within one second."""
    session = get_session()
    session.set_credentials("id/with+odd=", SECRET, token)
    options: Any = {"addressing_style": style}
    config = AioConfig(signature_version="s3v4", s3=options)
    async with session.create_client("s3", region_name="eu-west-1", endpoint_url=endpoint, config=config) as client:
        while True:
            urls = [
                await client.generate_presigned_url(
                    "get_object",
                    Params={
                        "Bucket": "bucket",
                        "Key": key,
                        "ResponseContentType": "video/mp4; x=~y",
                        "ResponseCacheControl": "private, max-age=600, immutable",
                    },
                    ExpiresIn=600,
                )
                for key in KEYS
            ]
            if 1 == len({date_of(url) for url in urls}):
                return urls


def date_of(url: str) -> str:
    """Return the date it was signed at."""
    return url.partition("X-Amz-Date=")[2][:16]


def fields_of(url: str) -> list[str]:
    """Return the parts of a URL, sorted."""
    address, _, query = url.partition("?")
    return [address, *sorted(query.split("&"))]


@pytest.mark.parametrize("token", [None, "session/token+x=="])
@pytest.mark.parametrize(("endpoint", "style"), ENDPOINTS)
async def test_urls_equal_those_of_the_library(endpoint: str | None, style: str, token: str | None) -> None:
    """With path and host addressing, and with permanent and temporary credentials."""
    theirs = await library_urls(endpoint, style, token)
    template = get_url_template(theirs[0], KEYS[0], SECRET)
    assert template is not None
    signed_at = datetime.strptime(date_of(theirs[0]), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert [fields_of(url) for url in theirs] == [fields_of(url) for url in template.urls(KEYS, signed_at)]


async def test_the_signing_key_is_that_of_the_signing_date() -> None:
    """The URLs equal those that the library would have presigned at that time."""
    [first, *_] = await library_urls("https://s3.example.org", "path", None)
    template = get_url_template(first, KEYS[0], SECRET)
    assert template is not None
    [then] = template.urls(KEYS[:1], datetime(2026, 2, 3, 23, 59, 59, tzinfo=UTC))
    assert "X-Amz-Date=20260203T235959Z" in then
    assert "id%2Fwith%2Bodd%3D%2F20260203%2Feu-west-1%2Fs3%2Faws4_request" in then
    assert get_url_template(then, KEYS[0], SECRET) == template


async def test_urls_that_cannot_be_reproduced_have_no_template() -> None:
    """Another secret, another algorithm, other signed headers, another key."""
    [url, *_] = await library_urls("https://s3.example.org", "path", None)
    assert get_url_template(url, KEYS[0], "another secret") is None
    assert get_url_template(url, KEYS[1], SECRET) is None
    assert get_url_template(url.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), KEYS[0], SECRET) is None
    assert get_url_template(url.replace("SignedHeaders=host", "SignedHeaders=host%3Bx"), KEYS[0], SECRET) is None
    assert get_url_template(url.replace("X-Amz-Date", "X-Odd-Date"), KEYS[0], SECRET) is None
    assert get_url_template(url.partition("?")[0], KEYS[0], SECRET) is None
