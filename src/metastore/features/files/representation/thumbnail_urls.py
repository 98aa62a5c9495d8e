"""Presigned URLs of thumbnails.

Lists show the same thumbnails again and again. Their URLs stay the same for a while, so that browsers can cache them.
"""

from collections.abc import Sequence

from metastore.kit.context import absolute
from metastore.ports.object_store import ObjectStore

CONTENT_TYPE = "image/webp"


class ThumbnailUrls:
    """Presigns thumbnails in ``store`` for ``ttl`` seconds."""

    def __init__(self, store: ObjectStore, ttl: int) -> None:
        self._store = store
        self._ttl = ttl

    async def presign(self, keys: Sequence[str]) -> dict[str, str]:
        """Return absolute URLs by object key."""
        if not keys:
            return {}
        urls = await self._store.presign_reads(keys, content_type=CONTENT_TYPE, expires_in=self._ttl)
        return {key: absolute(url) for key, url in zip(keys, urls, strict=True)}
