"""Visitor grants: signed tokens that prove that a visitor has opened a link.

A token holds the link's ID and version, the visitor's ID and when it was issued, with an HMAC-SHA256 of these, encoded
as base64url. It is valid for 15 minutes, and only for that version of the link. A visitor's ID is made up when the link
is opened, and stays the same while the grant is renewed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from metastore.kit.api.signed_tokens import TokenSigner
from metastore.kit.clock import Clock, utc_now

LIFETIME = timedelta(minutes=15)
_RENEWED_AFTER = timedelta(minutes=5)
_ID, _VERSION, _TIME = 16, 4, 5
_BODY = 2 * _ID + _VERSION + _TIME


@dataclass(frozen=True, slots=True)
class VisitorGrant:
    """What a token proves: that the visitor has opened that version of the link."""

    link_id: str
    version: int
    visitor_id: str
    issued_at: datetime
    token: str = field(repr=False)

    @property
    def expires_at(self) -> datetime:
        """When it ends unless it is renewed."""
        return self.issued_at + LIFETIME


class VisitorGrants:
    """Issues and verifies tokens, signed with ``key``."""

    def __init__(self, key: bytes, clock: Clock = utc_now) -> None:
        self._signer = TokenSigner(key)
        self._clock = clock

    def issue(self, link_id: str, version: int, visitor_id: str) -> VisitorGrant:
        """Return a new grant."""
        issued_at = self._clock().replace(microsecond=0)
        times = version.to_bytes(_VERSION) + int(issued_at.timestamp()).to_bytes(_TIME)
        body = UUID(link_id).bytes + UUID(visitor_id).bytes + times
        return VisitorGrant(link_id, version, visitor_id, issued_at, self._signer.sign(body))

    def verify(self, token: str | None) -> VisitorGrant | None:
        """Return the grant; ``None`` if the token is missing, forged or expired."""
        body = self._signer.body_of(token) if token else None
        if body is None or len(body) != _BODY:
            return None
        link_id, visitor_id = (str(UUID(bytes=body[at : at + _ID])) for at in (0, _ID))
        version, seconds = int.from_bytes(body[2 * _ID : -_TIME]), int.from_bytes(body[-_TIME:])
        grant = VisitorGrant(link_id, version, visitor_id, datetime.fromtimestamp(seconds, UTC), token or "")
        return grant if self._clock() < grant.expires_at else None

    def renewed(self, grant: VisitorGrant) -> VisitorGrant | None:
        """Return the grant's successor if it is more than 5 minutes old."""
        if self._clock() - grant.issued_at <= _RENEWED_AFTER:
            return None
        return self.issue(grant.link_id, grant.version, grant.visitor_id)
