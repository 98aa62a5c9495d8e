"""What an S3 ETag tells of the bytes."""

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"([0-9a-f]{32})-\d{1,5}")
PART_SIZE = "part-size"
"""The metadata that a multipart object carries."""


def bare_etag(etag: str) -> str:
    """The ETag without the quotes that it has in HTTP."""
    return etag.strip('"')


def checksum_from(etag: str, head: Mapping[str, Any]) -> str | None:
    """The checksum that ``etag`` is, in the port's notation, or ``None`` when it is none."""
    if head.get("ServerSideEncryption", "AES256") != "AES256" or head.get("SSECustomerAlgorithm"):
        return None
    if _WHOLE.fullmatch(etag):
        return f"md5:{etag}"
    part_size = head.get("Metadata", {}).get(PART_SIZE, "")
    match = _PARTS.fullmatch(etag)
    return f"md5-{part_size}:{match[1]}" if match and part_size.isdigit() else None
