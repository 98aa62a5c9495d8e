"""Throttling of sign-ins and registrations: attempts are counted per account and per address.

Responses beyond the limit carry ``Retry-After`` (RFC 9110) and the ``RateLimit-Policy`` and ``RateLimit`` fields of
draft-ietf-httpapi-ratelimit-headers-10: ``"name";q=quota;w=seconds`` and ``"name";r=remaining;t=seconds``.
"""

from dataclasses import dataclass

from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.rate_limiter import Limit, RateLimiter, Standing

_LOGIN_PER_ACCOUNT = Limit("login-account", 10, 300)
_LOGIN_PER_ADDRESS = Limit("login-address", 100, 300)
_REGISTER_PER_ADDRESS = Limit("register-address", 1000, 3600)


@dataclass(frozen=True, slots=True)
class AuthLimits:
    """The limits on attempts; successful sign-ins do not count."""

    login_per_account: Limit = _LOGIN_PER_ACCOUNT
    login_per_address: Limit = _LOGIN_PER_ADDRESS
    register_per_address: Limit = _REGISTER_PER_ADDRESS


async def count_attempt(limiter: RateLimiter, limit: Limit, key: str) -> None:
    """Count an attempt by ``key``.

    Raises:
        Problem: 429 ``too-many-attempts`` if the limit is exceeded.
    """
    standing = await limiter.attempt(limit, key)
    if not standing.allowed:
        raise _too_many(limit, standing)


def _too_many(limit: Limit, standing: Standing) -> Problem:
    wait = max(1, standing.reset_after)
    headers = {
        "Retry-After": str(wait),
        "RateLimit-Policy": f'"{limit.name}";q={limit.amount};w={limit.window}',
        "RateLimit": f'"{limit.name}";r={standing.remaining};t={wait}',
    }
    detail = f"Too many attempts. Try again in {wait} seconds."
    return Problem(429, ProblemCode.TOO_MANY_ATTEMPTS, detail, headers=headers)
