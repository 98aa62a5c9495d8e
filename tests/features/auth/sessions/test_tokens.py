"""Access and refresh tokens."""

import base64
import json
from datetime import timedelta

import jwt
import pytest

from metastore.features.auth.sessions.tokens import (
    AccessClaims,
    ExpiredTokenError,
    InvalidTokenError,
    RefreshClaims,
    TokenPair,
    Tokens,
)
from tests.fixtures.clocks import SettableClock

SECRET = b"a secret key that only tests may know"


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still."""
    return SettableClock()


@pytest.fixture
def tokens(clock: SettableClock) -> Tokens:
    """Tokens with the default lifetimes."""
    return Tokens(SECRET, clock=clock)


def issued(tokens: Tokens, clock: SettableClock, generation: int = 0) -> TokenPair:
    """Return the tokens of a session created now."""
    now = clock()
    ends_at = tokens.end_of_session(created_at=now, refreshed_at=now)
    return tokens.issue("user", "session", generation, refreshed_at=now, expires_at=ends_at)


def signed(header: dict[str, object], claims: dict[str, object], key: bytes) -> str:
    """Return a token signed with HS256, with arbitrary header and claims."""
    body = f"{_encoded(header)}.{_encoded(claims)}"
    signature = jwt.get_algorithm_by_name("HS256").sign(body.encode(), key)
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def claims_of(token: str) -> dict[str, object]:
    """Return the claims of a token without verifying it."""
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_claims_are_read_back(tokens: Tokens, clock: SettableClock) -> None:
    """The maximum ages match the lifetimes."""
    pair = issued(tokens, clock, generation=3)
    assert tokens.read_access(pair.access_token) == AccessClaims("user", "session")
    assert tokens.read_refresh(pair.refresh_token) == RefreshClaims("user", "session", 3)
    assert (pair.access_max_age, pair.refresh_max_age) == (15 * 60, 7 * 24 * 3600)


def test_the_same_session_gives_byte_for_byte_the_same_tokens(tokens: Tokens, clock: SettableClock) -> None:
    """The next generation has different ones."""
    assert issued(tokens, clock) == issued(Tokens(SECRET, clock=clock), clock)
    assert issued(tokens, clock, 1).refresh_token != issued(tokens, clock).refresh_token


def test_an_expired_token_is_distinguished_from_an_invalid_one(tokens: Tokens, clock: SettableClock) -> None:
    """To the second; signing out can still read it."""
    pair = issued(tokens, clock)
    clock.forward(15 * 60 - 1)
    tokens.read_access(pair.access_token)
    clock.forward(1)
    with pytest.raises(ExpiredTokenError):
        tokens.read_access(pair.access_token)
    assert tokens.read_access(pair.access_token, allow_expired=True) == AccessClaims("user", "session")
    clock.now += timedelta(days=7)
    with pytest.raises(ExpiredTokenError):
        tokens.read_refresh(pair.refresh_token)


def test_each_kind_has_its_own_key_and_type(tokens: Tokens, clock: SettableClock) -> None:
    """Neither is accepted as the other, even if signed with the other's key."""
    pair = issued(tokens, clock)
    with pytest.raises(InvalidTokenError):
        tokens.read_access(pair.refresh_token)
    with pytest.raises(InvalidTokenError):
        tokens.read_refresh(pair.access_token)
    relabelled = signed({"alg": "HS256"}, claims_of(pair.refresh_token), tokens._keys["access"])
    with pytest.raises(InvalidTokenError):
        tokens.read_access(relabelled)


def test_tokens_of_another_secret_key_are_invalid(tokens: Tokens, clock: SettableClock) -> None:
    """Changing the secret key ends all sessions."""
    foreign = issued(Tokens(b"some other secret key of 32 bytes", clock=clock), clock)
    with pytest.raises(InvalidTokenError):
        tokens.read_access(foreign.access_token)


def test_a_token_cannot_choose_its_algorithm(tokens: Tokens, clock: SettableClock) -> None:
    """Neither ``none``, in any spelling, nor another HMAC is accepted."""
    token = issued(tokens, clock).access_token
    claims, signature, key = claims_of(token), token.split(".")[2], tokens._keys["access"]
    forged = [
        f"{_encoded({'alg': name})}.{_encoded(claims)}.{end}" for name in ("none", "None") for end in ("", signature)
    ]
    forged.append(jwt.encode(claims, key * 2, algorithm="HS512"))
    forged.append(signed({"alg": "HS512"}, claims, key))
    forged.append(signed({"alg": "HS256", "crit": ["b64"], "b64": False}, claims, key))
    for token in forged:
        with pytest.raises(InvalidTokenError):
            tokens.read_access(token)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "elsewhere"},
        {"aud": None},
        {"iss": "elsewhere"},
        {"typ": "refresh"},
        {"typ": None},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"sub": None},
        {"sub": ["a"]},
        {"sid": 7},
        {"sid": ""},
        {"exp": 1e999},
        {"exp": True},
    ],
)
def test_a_token_with_wrong_claims_is_rejected(tokens: Tokens, clock: SettableClock, change: dict[str, object]) -> None:
    """Audience, issuer, type and every claim are verified even if the signature is valid (``None``: claim left out)."""
    claims = claims_of(issued(tokens, clock).access_token) | change
    claims = {name: value for name, value in claims.items() if value is not None}
    with pytest.raises(InvalidTokenError):
        tokens.read_access(signed({"alg": "HS256"}, claims, tokens._keys["access"]))


@pytest.mark.parametrize("generation", [None, "0", True, -1, 2**31, 1.5])
def test_a_refresh_token_needs_a_valid_generation(tokens: Tokens, clock: SettableClock, generation: object) -> None:
    """An integer that fits into the database column."""
    claims = claims_of(issued(tokens, clock).refresh_token) | {"gen": generation}
    with pytest.raises(InvalidTokenError):
        tokens.read_refresh(signed({"alg": "HS256"}, claims, tokens._keys["refresh"]))


def _encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
