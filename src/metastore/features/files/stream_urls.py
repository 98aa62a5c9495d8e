"""Addresses by which a file is streamed: they hold their own permission.

``/api/v1/streams/<token>/…``. The token is the file's id, when its time is over, and, where a link gave the permission,
that link's id, with an HMAC-SHA256 of these, all as base64url. Who has it may have what is below, without a cookie,
until then. It is the same for a period (``kit.clock.period_start``), so that caches find playlists again.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from metastore.kit.clock import Clock, period_start, utc_now
from metastore.kit.context import absolute
from metastore.kit.problem import Problem, not_found
from metastore.kit.problem_codes import ProblemCode

PREFIX = "/api/v1/streams/"
_LONG_FILM_MS = 600_000
_LONGEST = 7 * 24 * 3600
"""Seconds; S3 signs for no longer."""
_ID, _TIME, _MAC = 16, 5, 16


@dataclass(frozen=True, slots=True)
class StreamPass:
    """What a token allows: to stream this file, as its owner or by that link; ``expires_at`` is in Unix seconds."""

    file_id: str
    expires_at: int
    link_id: str | None = None


class StreamUrls:
    """Makes and opens such addresses. ``ttl`` is how many seconds presigned URLs live."""

    def __init__(self, key: bytes, ttl: int, clock: Clock = utc_now) -> None:
        self._key = key
        self._ttl = ttl
        self._clock = clock

    def lifetime(self, duration_ms: int | None) -> int:
        """How many seconds URLs live that play something of that duration.

        A player asks for a playlist once and for its last segment when the film ends, so what is longer than ten
        minutes may be played for twice its duration.
        """
        if duration_ms is None or duration_ms <= _LONG_FILM_MS:
            return self._ttl
        return max(self._ttl, min(_LONGEST, 2 * duration_ms // 1000))

    def keep_seconds(self, lifetime: int) -> int:
        """How long an answer with URLs of that lifetime stays as it is: until the next period."""
        now = self._clock().timestamp()
        return max(0, int(period_start(now, lifetime) + max(1, lifetime // 4) - now))

    def base_of(self, file_id: str, *, lifetime: int | None = None, link_id: str | None = None) -> str:
        """The address that all of a file's stream is below, without a slash at its end."""
        lasting = lifetime or self._ttl
        expires_at = period_start(self._clock().timestamp(), lasting) + lasting
        return absolute(PREFIX + self._token(StreamPass(file_id, expires_at, link_id)))

    def master_of(self, file_id: str) -> str:
        """The address of the file's master playlist."""
        return f"{self.base_of(file_id)}/master.m3u8"

    def opened(self, token: str) -> StreamPass:
        """What the token allows.

        Raises:
            Problem: 404 when it is none of ours; 403 ``url-expired``.
        """
        found = self._decoded(token)
        if found is None:
            raise not_found("stream")
        if self._clock().timestamp() >= found.expires_at:
            # Players go on asking; that is nothing to write down each time.
            raise Problem(403, ProblemCode.URL_EXPIRED, "This URL has expired; request a new one.", refused=False)
        return found

    def _token(self, allowed: StreamPass) -> str:
        ids = [UUID(part).bytes for part in (allowed.file_id, allowed.link_id) if part]
        body = allowed.expires_at.to_bytes(_TIME) + b"".join(ids)
        return _text(body + self._mac(body))

    def _decoded(self, token: str) -> StreamPass | None:
        try:
            data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        body, mac = data[:-_MAC], data[-_MAC:]
        # One token has one spelling: the last character of base64 may have bits to spare.
        if len(body) not in (_TIME + _ID, _TIME + 2 * _ID) or _text(data) != token:
            return None
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        ids = [str(UUID(bytes=body[at : at + _ID])) for at in range(_TIME, len(body), _ID)]
        return StreamPass(ids[0], int.from_bytes(body[:_TIME]), ids[1] if len(ids) > 1 else None)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
