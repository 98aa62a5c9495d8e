"""URLs of small pictures.

A list shows many of them, again and again, so one URL is given out until half its time is over: browsers then find the
picture in their cache, and nothing is signed anew.
"""

from collections import OrderedDict
from time import monotonic

from metastore.kit.context import current_context
from metastore.ports.object_store import ObjectStore

CONTENT_TYPE = "image/webp"
_KEPT = 5000


class Thumbnails:
    """Presigns them on ``store``, for ``ttl`` seconds."""

    def __init__(self, store: ObjectStore, ttl: int) -> None:
        self._store = store
        self._ttl = ttl
        self._urls: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def url_of(self, key: str) -> str:
        """Where the small picture is shown from, by itself on a page or within it."""
        found = self._urls.get(key)
        if found is None or found[1] < monotonic():
            url = await self._store.presign_get(
                key, filename="thumbnail.webp", content_type=CONTENT_TYPE, inline=True, expires_in=self._ttl
            )
            found = (url, monotonic() + self._ttl / 2)
            self._urls[key] = found
            if len(self._urls) > _KEPT:
                self._urls.popitem(last=False)
        context = current_context()
        return f"{context.origin}{found[0]}" if context and found[0].startswith("/") else found[0]
