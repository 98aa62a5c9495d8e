"""Password hashing: Argon2id (RFC 9106) at OWASP's parameters, off the event loop and bounded.

A hash takes 19 MiB and some 20 ms of a core. ``workers`` of them run at a time and the rest wait, so that a burst of
sign-ins costs neither the memory nor the responsiveness of everything else. Never call it inside a transaction.

Passwords are hashed in Unicode NFKC, as NIST SP 800-63B recommends, so that the same password typed on another
keyboard or system fits.
"""

import asyncio
import secrets
import unicodedata
from typing import Protocol

import argon2


class Hasher(Protocol):
    """Makes and checks password hashes."""

    async def hash(self, password: str) -> str:
        """A salted hash of ``password``."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; with no hash (no such user) ``False`` after the same work."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than a new one would be."""
        ...


class Argon2Hasher:
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet)."""

    def __init__(self, *, memory_kib: int = 19 * 1024, passes: int = 2, lanes: int = 1, workers: int = 2) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._bound = asyncio.Semaphore(workers)
        self._nobodys = self._argon2.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        """See ``Hasher``."""
        async with self._bound:
            return await asyncio.to_thread(self._argon2.hash, _normal(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """See ``Hasher``."""
        async with self._bound:
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobodys, _normal(password))
        return fits and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """See ``Hasher``."""
        return self._argon2.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
