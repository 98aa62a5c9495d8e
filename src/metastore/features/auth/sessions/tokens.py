"""Access and refresh tokens: JSON Web Tokens (RFC 7519), always signed with HS256.

* The **access token** identifies the user (``sub``) and the session (``sid``). It is valid for minutes. Every request
  also checks the session and the user in the database, so that revoking either takes effect at once.
* The **refresh token** identifies a session and its generation (``gen``). It is derived only from the session's row, so
  that two concurrent refreshes return the same successor, byte for byte.

Each kind has its own ``typ`` and its own key, derived from the secret key by HMAC-SHA256 with a label (the expand step
of HKDF, RFC 5869, for one block). Issuer, audience, times and the types of claims are verified.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from metastore.kit.clock import Clock, utc_now

_ALGORITHM = "HS256"
_ISSUER = _AUDIENCE = "metastore"
_ACCESS, _REFRESH = "access", "refresh"
_REMEMBERED_TOKENS = 4096
"""Verified tokens whose signature need not be computed again. Forged ones are not remembered."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of an access token."""

    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """The claims of a refresh token."""

    user_id: str
    session_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The tokens of a session's current generation, and the cookies' maximum age in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_max_age: int
    refresh_max_age: int


class InvalidTokenError(Exception):
    """The token is missing, forged, malformed, or of another kind."""


class ExpiredTokenError(InvalidTokenError):
    """The token is valid but has expired."""


class Tokens:
    """Issues and verifies tokens; lifetimes are in seconds."""

    def __init__(
        self,
        secret_key: bytes,
        *,
        access_ttl: int = 15 * 60,
        refresh_ttl: int = 7 * 24 * 3600,
        session_ttl: int = 90 * 24 * 3600,
        clock: Clock = utc_now,
    ) -> None:
        self._keys = {kind: _derive(secret_key, f"metastore {kind} token") for kind in (_ACCESS, _REFRESH)}
        self._access_ttl = timedelta(seconds=access_ttl)
        self._refresh_ttl = timedelta(seconds=refresh_ttl)
        self._session_ttl = timedelta(seconds=session_ttl)
        self._clock = clock
        # What a token says never changes, only whether it has expired: that is compared anew each time.
        self._verified = lru_cache(maxsize=_REMEMBERED_TOKENS)(self._verify)

    def end_of_session(self, *, created_at: datetime, refreshed_at: datetime) -> datetime:
        """Return when a session expires unless it is refreshed; at most ``session_ttl`` after it was created."""
        return min(refreshed_at + self._refresh_ttl, created_at + self._session_ttl)

    def issue(
        self, user_id: str, session_id: str, generation: int, *, refreshed_at: datetime, expires_at: datetime
    ) -> TokenPair:
        """Return the tokens of a session. The same arguments always return the same tokens."""
        access = {"sub": user_id, "sid": session_id}
        refresh: dict[str, str | int] = {"sub": user_id, "sid": session_id, "gen": generation}
        return TokenPair(
            access_token=self._sign(_ACCESS, access, refreshed_at, refreshed_at + self._access_ttl),
            refresh_token=self._sign(_REFRESH, refresh, refreshed_at, expires_at),
            access_max_age=int(self._access_ttl.total_seconds()),
            refresh_max_age=int((expires_at - refreshed_at).total_seconds()),
        )

    def read_access(self, token: str | None, *, allow_expired: bool = False) -> AccessClaims:
        """Return the claims of the access token.

        Raises:
            ExpiredTokenError: it has expired, unless ``allow_expired``.
            InvalidTokenError: it was not issued by this server.
        """
        claims = self._read(_ACCESS, token, allow_expired=allow_expired)
        return AccessClaims(_string(claims, "sub"), _string(claims, "sid"))

    def read_refresh(self, token: str | None, *, allow_expired: bool = False) -> RefreshClaims:
        """Return the claims of the refresh token; raises as ``read_access`` does."""
        claims = self._read(_REFRESH, token, allow_expired=allow_expired)
        generation = claims.get("gen")
        if not isinstance(generation, int) or isinstance(generation, bool) or not 0 <= generation < 2**31:
            raise InvalidTokenError("gen")
        return RefreshClaims(_string(claims, "sub"), _string(claims, "sid"), generation)

    def _sign(self, kind: str, claims: Mapping[str, str | int], issued_at: datetime, expires_at: datetime) -> str:
        payload = {
            **claims,
            "typ": kind,
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(payload, self._keys[kind], algorithm=_ALGORITHM)

    def _read(self, kind: str, token: str | None, *, allow_expired: bool) -> dict[str, Any]:
        if not token:
            raise InvalidTokenError("missing")
        claims = self._verified(kind, token)
        if not allow_expired and claims["exp"] <= self._clock().timestamp():
            raise ExpiredTokenError("exp")
        return claims

    def _verify(self, kind: str, token: str) -> dict[str, Any]:
        """Return the claims of a token that this server has issued, expired or not."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._keys[kind],
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                # Times are verified by ``_read``, with the injected clock.
                options={"require": ["sub", "sid", "typ", "iat", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise InvalidTokenError(type(error).__name__) from None
        if claims.get("typ") != kind or not isinstance(claims["exp"], int):
            raise InvalidTokenError("typ")
        return claims


def _derive(secret_key: bytes, label: str) -> bytes:
    return hmac.digest(secret_key, label.encode() + b"\x01", hashlib.sha256)


def _string(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise InvalidTokenError(name)
    return value
