"""Signed URLs for streaming a file without a cookie: ``/api/v1/streams/<token>/…``.

The token holds the file's ID, an expiry time and, if access was granted by a share link, the link's ID and version,
with an HMAC-SHA256 of these, encoded as base64url. It grants access to everything below the URL until it expires.
Within a period (``kit.clock.period_start``) the token stays the same, so that caches can reuse playlists.
"""

from dataclasses import dataclass
from uuid import UUID

from metastore.kit.api.signed_tokens import TokenSigner
from metastore.kit.clock import Clock, period_start, utc_now
from metastore.kit.context import absolute
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode

PREFIX = "/api/v1/streams/"
_LONG_MEDIA_MS = 600_000
_MAX_LIFETIME = 7 * 24 * 3600
"""In seconds; the longest lifetime of S3's presigned URLs."""
_ID, _TIME, _VERSION = 16, 5, 4


@dataclass(frozen=True, slots=True)
class StreamGrant:
    """Access granted by a token: to this file, for its owner or through a link; ``expires_at`` is in Unix seconds."""

    file_id: str
    expires_at: int
    link_id: str | None = None
    link_version: int = 0


class StreamUrls:
    """Creates and verifies stream URLs. ``ttl`` is the lifetime of presigned URLs in seconds."""

    def __init__(self, key: bytes, ttl: int, clock: Clock = utc_now) -> None:
        self._signer = TokenSigner(key)
        self._ttl = ttl
        self._clock = clock

    def lifetime(self, duration_ms: int | None) -> int:
        """Return the lifetime in seconds of URLs for media of that duration.

        A player requests a playlist once and the last segment only at the end. Media longer than ten minutes therefore
        get at least twice their duration, up to a week.
        """
        if duration_ms is None or duration_ms <= _LONG_MEDIA_MS:
            return self._ttl
        return max(self._ttl, min(_MAX_LIFETIME, 2 * duration_ms // 1000))

    def keep_seconds(self, lifetime: int) -> int:
        """Return for how many seconds a response with URLs of that lifetime may be cached: until the next period."""
        now = self._clock().timestamp()
        return max(0, int(period_start(now, lifetime) + max(1, lifetime // 4) - now))

    def stream_base_url(
        self, file_id: str, *, lifetime: int | None = None, link_id: str | None = None, link_version: int = 0
    ) -> str:
        """Return the base URL of a file's stream, without a trailing slash; ``lifetime`` in seconds.

        ``link_id`` and ``link_version`` are those of the share link that grants access, if it is not the owner.
        """
        seconds = lifetime or self._ttl
        expires_at = period_start(self._clock().timestamp(), seconds) + seconds
        return absolute(PREFIX + self._token(StreamGrant(file_id, expires_at, link_id, link_version)))

    def master_playlist_url(self, file_id: str) -> str:
        """Return the URL of the file's master playlist."""
        return f"{self.stream_base_url(file_id)}/master.m3u8"

    def verify_token(self, token: str) -> StreamGrant:
        """Return what the token grants.

        Raises:
            Problem: 404 if it is not valid; 403 ``url-expired``.
        """
        grant = self._decode(token)
        if grant is None:
            raise not_found("stream")
        if self._clock().timestamp() >= grant.expires_at:
            # Players keep requesting expired URLs, so this is not recorded as a refused access.
            raise Problem(403, ProblemCode.URL_EXPIRED, "This URL has expired; request a new one.", refused=False)
        return grant

    def _token(self, grant: StreamGrant) -> str:
        body = grant.expires_at.to_bytes(_TIME) + UUID(grant.file_id).bytes
        if grant.link_id is not None:
            body += UUID(grant.link_id).bytes + grant.link_version.to_bytes(_VERSION)
        return self._signer.sign(body)

    def _decode(self, token: str) -> StreamGrant | None:
        body = self._signer.body_of(token)
        if body is None or len(body) not in (_TIME + _ID, _TIME + 2 * _ID + _VERSION):
            return None
        expires_at, ids, version = int.from_bytes(body[:_TIME]), body[_TIME:], body[_TIME + 2 * _ID :]
        file_id = str(UUID(bytes=ids[:_ID]))
        if not version:
            return StreamGrant(file_id, expires_at)
        return StreamGrant(file_id, expires_at, str(UUID(bytes=ids[_ID : 2 * _ID])), int.from_bytes(version))
