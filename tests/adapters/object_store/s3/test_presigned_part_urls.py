"""Part URLs presigned by this adapter equal those of the client library."""

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from metastore.adapters.object_store.s3.presigned_part_urls import part_url_template

SECRET = "secret+/="


async def library_urls(upload_id: str, token: str | None, numbers: list[int]) -> list[str]:
    """Return the library's URLs, all presigned within one second."""
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
    """Return the parts of a URL, sorted."""
    address, _, query = url.partition("?")
    return [address, *sorted(query.split("&"))]


@pytest.mark.parametrize("token", [None, "session/token+x=="])
@pytest.mark.parametrize("upload_id", ["abc_123", "2~a.b-c", "with space+/=&?%"])
async def test_urls_equal_those_of_the_library(upload_id: str, token: str | None) -> None:
    """With any characters in the upload id, and with permanent and temporary credentials."""
    [first, *others] = await library_urls(upload_id, token, [1, 2, 10_000])
    template = part_url_template(first, 1, 10, SECRET)
    assert template is not None
    assert [fields_of(url) for url in others] == [fields_of(template.url(n, n * 10)) for n in (2, 10_000)]


async def test_urls_that_cannot_be_reproduced_have_no_template() -> None:
    """Another secret, another algorithm, other signed headers."""
    [url] = await library_urls("abc", None, [1])
    assert part_url_template(url, 1, 10, "another secret") is None
    assert part_url_template(url, 1, 11, SECRET) is None
    assert part_url_template(url.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), 1, 10, SECRET) is None
    assert part_url_template(url.replace("content-length%3Bhost", "host"), 1, 10, SECRET) is None
