"""Password hashing with Argon2id (RFC 9106) and OWASP's parameters, in threads and with limited concurrency.

A hash takes 19 MiB and about 20 ms of CPU time. At most ``workers`` run at a time, so that a burst of sign-ins neither
exhausts memory nor slows down other requests. Must not run inside a transaction.

Passwords are normalized to Unicode NFKC, as NIST SP 800-63B recommends, so that a password matches regardless of the
keyboard or system it is typed on.
"""

import asyncio
import base64
import secrets
import unicodedata
from typing import Protocol

import argon2


class Hasher(Protocol):
    """Creates and verifies password hashes."""

    async def hash(self, password: str) -> str:
        """Return a salted hash of ``password``."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password matches. Without a hash (no such user), return ``False`` after the same work."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Return whether the hash has other parameters than a new one would have."""
        ...


class Argon2Hasher:
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet)."""

    def __init__(self, *, memory_kib: int = 19 * 1024, passes: int = 2, lanes: int = 1, workers: int = 2) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._semaphore = asyncio.Semaphore(workers)
        self._dummy_hash = _unmatched_hash(self._argon2)

    async def hash(self, password: str) -> str:
        """See ``Hasher``."""
        async with self._semaphore:
            return await asyncio.to_thread(self._argon2.hash, _normalize(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """See ``Hasher``."""
        async with self._semaphore:
            matches = await asyncio.to_thread(self._verify, password_hash or self._dummy_hash, _normalize(password))
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """See ``Hasher``."""
        return self._argon2.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _unmatched_hash(hasher: argon2.PasswordHasher) -> str:
    """Return the encoded hash of an unknown password. Verifying takes the work that ``hasher`` puts into a hash.

    Its bytes are random: hashing would take the time and memory at the start of the product.
    """
    version = argon2.profiles.RFC_9106_LOW_MEMORY.version
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={version}${costs}${salt}${digest}"


def _normalize(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
