"""Signed URLs of archives: ``/api/v1/archives/<token>``.

The token holds the selection: its owner and the IDs of its items, with the times of its creation and of its expiry, and
an HMAC-SHA256 of these, encoded as base64url. It is the only credential of a download, so that browsers and download
managers can resume it without cookies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from metastore.kit.api.signed_tokens import TokenSigner
from metastore.kit.clock import Clock
from metastore.kit.context import absolute
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode

PREFIX = "/api/v1/archives/"
MAX_ITEMS = 300
"""So that a URL has less than the 8 KiB that proxies commonly accept."""
_MAX_LIFETIME = 7 * 24 * 3600
"""In seconds; the longest lifetime of S3's presigned URLs."""
_SLOW = 2**20
"""Bytes a second at which an archive can still be downloaded and resumed during the lifetime of its URL."""
_ID, _TIME = 16, 5


@dataclass(frozen=True, slots=True)
class Selection:
    """Files and folders of one owner, as selected at a time; times are in Unix seconds."""

    owner_id: str
    node_ids: tuple[str, ...]
    created_at: int
    expires_at: int


class ArchiveUrls:
    """Creates and verifies the URLs of archives. ``ttl`` is their shortest lifetime in seconds."""

    def __init__(self, key: bytes, ttl: int, clock: Clock) -> None:
        self._signer = TokenSigner(key)
        self._ttl = ttl
        self._clock = clock

    def select(self, owner_id: str, node_ids: Sequence[str], size: int) -> Selection:
        """Return a selection that does not expire before an archive of ``size`` bytes can be downloaded."""
        now = int(self._clock().timestamp())
        return Selection(owner_id, tuple(node_ids), now, now + max(self._ttl, min(_MAX_LIFETIME, size // _SLOW)))

    def url(self, selection: Selection) -> str:
        """Return the URL of the selection's archive."""
        ids = b"".join(UUID(part).bytes for part in (selection.owner_id, *selection.node_ids))
        body = selection.expires_at.to_bytes(_TIME) + selection.created_at.to_bytes(_TIME) + ids
        return absolute(PREFIX + self._signer.sign(body))

    def verify(self, token: str) -> Selection:
        """Return the selection that the token holds.

        Raises:
            Problem: 404 if it is not valid; 403 ``url-expired``.
        """
        selection = self._decode(token)
        if selection is None:
            raise not_found("archive")
        if self._clock().timestamp() >= selection.expires_at:
            # Browsers repeat downloads that they cannot resume, so this is not recorded as a refused access.
            raise Problem(403, ProblemCode.URL_EXPIRED, "This URL has expired; request a new one.", refused=False)
        return selection

    def _decode(self, token: str) -> Selection | None:
        body = self._signer.body_of(token)
        if body is None:
            return None
        ids = [str(UUID(bytes=body[at : at + _ID])) for at in range(2 * _TIME, len(body), _ID)]
        created_at = int.from_bytes(body[_TIME : 2 * _TIME])
        return Selection(ids[0], tuple(ids[1:]), created_at, int.from_bytes(body[:_TIME]))


def moment_of(seconds: int) -> datetime:
    """Return Unix seconds as an aware ``datetime`` in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
