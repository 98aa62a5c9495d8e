"""The only door through which users get stored bytes: presigned URLs of originals, pictures and streams.

Nothing else holds a ``Presigner``. Delivery does not decide who may read what: its callers have found the file for
someone who may. What the server reads itself to build a response (excerpts, subtitles) comes from the object store.

All URLs are absolute. Every method raises a ``Problem``, 503, if the object store is unavailable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from metastore.kit.context import absolute, all_absolute
from metastore.kit.problems.problem import Problem, unavailable
from metastore.ports.object_store import ObjectStoreError
from metastore.ports.presigner import Presigner

PICTURE_TYPE = "image/webp"
"""The content type of all derived pictures: thumbnails, posters, sprites and previews."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file whose bytes can be downloaded; ``size`` in bytes."""

    file_id: str
    owner_id: str
    name: str
    size: int
    mime_type: str
    object_key: str


class Delivery:
    """Presigns reads.

    ``ttl`` is the lifetime in seconds of URLs for which no other is given, ``visitor_ttl`` that of URLs for visitors of
    share links. Those are only used in redirects, so a short time is enough.
    """

    def __init__(self, presigner: Presigner, ttl: int, visitor_ttl: int = 5) -> None:
        self._presigner = presigner
        self._ttl = ttl
        self.visitor_ttl = visitor_ttl

    async def download_url(self, file: Download, *, head: bool = False, lifetime: int | None = None) -> str:
        """Return a URL that serves a file's original to GET as an attachment, or with ``head`` to HEAD."""
        try:
            url = await self._presigner.presign_get(
                file.object_key,
                filename=file.name,
                content_type=file.mime_type,
                head=head,
                expires_in=lifetime or self._ttl,
            )
        except ObjectStoreError as error:
            raise _store_unavailable() from error
        return absolute(url)

    async def inline_url(self, file: Download, lifetime: int) -> str:
        """Return a URL that serves a file's original inline, for ``lifetime`` seconds.

        Only suited for types that browsers show without executing anything.
        """
        [url] = await self._urls([file.object_key], file.mime_type, lifetime)
        return url

    async def picture_urls(self, keys: Sequence[str], lifetime: int | None = None) -> list[str]:
        """Return URLs of derived pictures, in the order of ``keys``, for ``lifetime`` seconds.

        They stay the same for a while, so that browsers can cache pictures that lists show again and again.
        """
        return await self._urls(keys, PICTURE_TYPE, lifetime or self._ttl)

    async def segment_urls(self, keys: Sequence[str], content_type: str, lifetime: int) -> list[str]:
        """Return URLs of a rendition's segments, in the order of ``keys``, for ``lifetime`` seconds."""
        return await self._urls(keys, content_type, lifetime)

    async def _urls(self, keys: Sequence[str], content_type: str, lifetime: int) -> list[str]:
        if not keys:
            return []
        try:
            urls = await self._presigner.presign_reads(keys, content_type=content_type, expires_in=lifetime)
        except ObjectStoreError as error:
            raise _store_unavailable() from error
        return all_absolute(urls)


def _store_unavailable() -> Problem:
    return unavailable("The object store does not respond.")
