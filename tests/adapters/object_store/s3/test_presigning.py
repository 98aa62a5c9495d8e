"""Part URLs that are signed here are those that the client library would have made."""

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from metastore.adapters.object_store.s3.presigning import template_of

SECRET = "secret+/="


async def library_urls(upload_id: str, token: str | None, numbers: list[int]) -> list[str]:
    """What the library makes, all within one second."""
    session = get_session()
    session.set_credentials("id", SECRET, token)
    config = AioConfig(signature_version="s3v4", s3={"addressing_style": "path"})
    async with session.create_client(
        "s3", region_name="eu-1", endpoint_url="https://s3.example.org:8443", config=config
    ) as client:
        while True:
            urls = [
                await client.generate_presigned_url(
                    "upload_part",
                    Params={
                        "Bucket": "bucket",
                        "Key": "files/a_b.c-d",
                        "UploadId": upload_id,
                        "PartNumber": number,
                        "ContentLength": number * 10,
                    },
                    ExpiresIn=600,
                )
                for number in numbers
            ]
            if 1 == len({url.partition("X-Amz-Date=")[2][:16] for url in urls}):
                return urls


def fields_of(url: str) -> list[str]:
    """The parts of a URL in an order that does not matter."""
    address, _, query = url.partition("?")
    return [address, *sorted(query.split("&"))]


@pytest.mark.parametrize("token", [None, "session/token+x=="])
@pytest.mark.parametrize("upload_id", ["abc_123", "2~a.b-c", "with space+/=&?%"])
async def test_our_urls_are_those_of_the_library(upload_id: str, token: str | None) -> None:
    """Whatever the upload id is made of, with lasting and with passing credentials."""
    [first, *others] = await library_urls(upload_id, token, [1, 2, 10_000])
    template = template_of(first, 1, 10, SECRET)
    assert template is not None
    assert [fields_of(url) for url in others] == [fields_of(template.url(n, n * 10)) for n in (2, 10_000)]


async def test_what_is_not_understood_is_left_to_the_library() -> None:
    """Another secret, another algorithm, other signed headers."""
    [url] = await library_urls("abc", None, [1])
    assert template_of(url, 1, 10, "another secret") is None
    assert template_of(url, 1, 11, SECRET) is None
    assert template_of(url.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), 1, 10, SECRET) is None
    assert template_of(url.replace("content-length%3Bhost", "host"), 1, 10, SECRET) is None
