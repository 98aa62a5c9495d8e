"""An ETag is used as a checksum only if it is one."""

import pytest

from metastore.adapters.object_store.s3.checksums import checksum_from

MD5 = "900150983cd24fb0d6963f7d28e17f72"
METADATA = {"Metadata": {"part-size": "5242880"}}


@pytest.mark.parametrize(
    ("etag", "head", "expected"),
    [
        (MD5, {}, f"md5:{MD5}"),
        (MD5, {"ServerSideEncryption": "AES256"}, f"md5:{MD5}"),
        (f"{MD5}-3", METADATA, f"md5-5242880:{MD5}"),
        (f"{MD5}-3", {}, None),
        (f"{MD5}-3", {"Metadata": {"part-size": "x"}}, None),
        (MD5, {"ServerSideEncryption": "aws:kms"}, None),
        (MD5, {"SSECustomerAlgorithm": "AES256"}, None),
        (MD5.upper(), {}, None),
        ("something-else", METADATA, None),
        ("", {}, None),
    ],
)
def test_checksums_from_etags(etag: str, head: dict[str, object], expected: str | None) -> None:
    """MD5 of the bytes, MD5 of the parts' MD5 digests, or ``None``."""
    assert expected == checksum_from(etag, head)
