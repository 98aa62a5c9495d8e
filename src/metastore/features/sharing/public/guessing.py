"""Limits on wrong passwords of a link, counted per address and for the link as a whole.

Attempts are counted before the password is hashed, so that guesses cost little; right passwords are refunded. An
address that has used up its own attempts takes none of the others'. Visitors who hold a grant are not affected.
"""

from collections.abc import Awaitable, Callable

from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.auth.credentials.throttling import count_attempt
from metastore.features.auth.sessions.request_context import rate_limit_address
from metastore.features.sharing.problems import wrong_password
from metastore.kit.problems.problem import Problem
from metastore.ports.rate_limiter import Limit, RateLimiter

_PER_ADDRESS = Limit("share-address", 15, 3600)
_PER_LINK = Limit("share-link", 120, 3600)
_REPORTS_PER_LINK = Limit("share-link-reports", 1, 3600)


class PasswordCheck:
    """Verifies the passwords of links."""

    def __init__(self, hasher: Hasher, limiter: RateLimiter) -> None:
        self._hasher = hasher
        self._limiter = limiter

    async def verify(
        self, link_id: str, password_hash: str, password: str, report: Callable[[], Awaitable[None]]
    ) -> None:
        """Return if the password is right. Must not run inside a transaction.

        ``report`` is called at most once an hour for a link, when the link itself accepts no more guesses.

        Raises:
            Problem: 401 ``wrong-password``; 429 ``too-many-attempts``.
        """
        of_address = f"{link_id} {rate_limit_address()}"
        await count_attempt(self._limiter, _PER_ADDRESS, of_address)
        try:
            await count_attempt(self._limiter, _PER_LINK, link_id)
        except Problem:
            if (await self._limiter.attempt(_REPORTS_PER_LINK, link_id)).allowed:
                await report()
            raise
        if not await self._hasher.verify(password_hash, password):
            raise wrong_password()
        await self._limiter.refund(_PER_ADDRESS, of_address)
        await self._limiter.refund(_PER_LINK, link_id)
