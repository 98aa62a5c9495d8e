"""The presigner: URLs under which clients read objects directly from the object store.

Whoever holds a presigner can give anyone the bytes of any object. It is therefore a port of its own, although every
object store implements it, and only ``features.files.delivery`` holds one.
"""

from collections.abc import Sequence
from typing import Protocol


class Presigner(Protocol):
    """Presigns reads. Errors are those of ``ObjectStore``.

    A URL is absolute, or a path (starting with ``/``) on the product's own origin. It is presigned whether or not the
    object exists.
    """

    async def presign_get(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        inline: bool = False,
        head: bool = False,
        expires_in: int,
    ) -> str:
        """Return a URL that serves the object to GET with ranges, or to HEAD with ``head``, for ``expires_in`` seconds.

        S3 signs the method, so one URL cannot serve both. The response has ``content_type`` and a
        ``Content-Disposition`` with ``filename`` (RFC 6266, RFC 8187).
        """
        ...

    async def presign_reads(self, keys: Sequence[str], *, content_type: str, expires_in: int) -> list[str]:
        """Return URLs that serve these objects to GET with ranges, in the order of ``keys``. Suited for thousands.

        The URLs are identical in every process for a period of a quarter of ``expires_in`` seconds
        (``kit.clock.period_start``) and expire ``expires_in`` seconds after its start. So caches can reuse the objects;
        responses have ``Cache-Control: private, max-age=…, immutable``. The objects are served inline, without a file
        name. The URLs do not serve HEAD, for the same reason as in ``presign_get``.
        """
        ...
