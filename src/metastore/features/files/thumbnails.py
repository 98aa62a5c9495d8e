"""URLs of small pictures.

A list shows many of them, again and again; their URLs stay the same for a while, so that browsers find the pictures in
their caches.
"""

from collections.abc import Sequence

from metastore.kit.context import absolute
from metastore.ports.object_store import ObjectStore

CONTENT_TYPE = "image/webp"


class Thumbnails:
    """Presigns them on ``store``, for ``ttl`` seconds."""

    def __init__(self, store: ObjectStore, ttl: int) -> None:
        self._store = store
        self._ttl = ttl

    async def urls_of(self, keys: Sequence[str]) -> dict[str, str]:
        """By key where each picture is shown from, by itself on a page or within it."""
        if not keys:
            return {}
        urls = await self._store.presign_reads(keys, content_type=CONTENT_TYPE, expires_in=self._ttl)
        return {key: absolute(url) for key, url in zip(keys, urls, strict=True)}
