"""Derive checksums from S3 ETags."""

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"([0-9a-f]{32})-\d{1,5}")
PART_SIZE = "part-size"
"""User metadata of each multipart object: its part size in bytes."""


def bare_etag(etag: str) -> str:
    """Return the ETag without the quotes of its HTTP form."""
    return etag.strip('"')


def checksum_from(etag: str, head: Mapping[str, Any]) -> str | None:
    """Return the checksum that ``etag`` represents, in the port's notation, or ``None`` if it is not a digest."""
    if head.get("ServerSideEncryption", "AES256") != "AES256" or head.get("SSECustomerAlgorithm"):
        return None
    if _WHOLE.fullmatch(etag):
        return f"md5:{etag}"
    part_size = head.get("Metadata", {}).get(PART_SIZE, "")
    match = _PARTS.fullmatch(etag)
    return f"md5-{part_size}:{match[1]}" if match and part_size.isdigit() else None
