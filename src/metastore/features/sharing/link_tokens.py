"""The token of a share link: the secret in its URL.

It is derived from the link's ID and generation by HMAC-SHA256, truncated to 144 bits, and encoded as base64url. The
owner can therefore be shown it again, while the database only has its SHA-256: who steals the database without the
secret key cannot open a link. Links are found by that hash, so no comparison depends on how much of a token is right.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from uuid import UUID

_SIZE = 18


class LinkTokens:
    """Derives tokens from ``key``."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, link_id: str, generation: int) -> str:
        """Return the token of a link: 24 characters."""
        digest = hmac.digest(self._key, UUID(link_id).bytes + generation.to_bytes(4), "sha256")
        return urlsafe_b64encode(digest[:_SIZE]).decode("ascii")


def token_hash(token: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
