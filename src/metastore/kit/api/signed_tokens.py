"""Signed tokens: bytes that clients keep for us, and cannot change.

A token is its body with 16 bytes of an HMAC-SHA256 (RFC 2104) over it, encoded as base64url (RFC 4648 §5) without
padding. Each kind of token is signed with a key of its own, so that none is valid as another.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

_MAC = 16


class TokenSigner:
    """Signs and verifies tokens with ``key``. What is in their bodies, such as an expiry, is up to its callers."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, body: bytes) -> str:
        """Return the token with this body."""
        return _encoded(body + self._mac(body))

    def body_of(self, token: str) -> bytes | None:
        """Return the body of a token; ``None`` if it was not signed with the key, or is spelled differently."""
        try:
            data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        body, mac = data[:-_MAC], data[-_MAC:]
        # Reject other spellings of the same bytes: the last character of base64 may have unused bits.
        is_valid = _encoded(data) == token and hmac.compare_digest(mac, self._mac(body))
        return body if is_valid else None

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC]


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
