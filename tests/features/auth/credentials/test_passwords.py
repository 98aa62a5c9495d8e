"""Password hashing."""

import asyncio
import threading
from collections.abc import Iterator

import argon2
import pytest

from metastore.features.auth.credentials.passwords import Argon2Hasher
from tests.fixtures.passwords import production_hashing_cost


@pytest.fixture(scope="module", autouse=True)
def products_cost() -> Iterator[None]:
    with production_hashing_cost():
        yield


@pytest.fixture(scope="module")
def hasher() -> Argon2Hasher:
    """A hasher with the default parameters."""
    return Argon2Hasher()


async def test_hashes_are_argon2id_at_owasps_parameters(hasher: Argon2Hasher) -> None:
    """19 MiB, two passes, one lane, salted."""
    first, second = await hasher.hash("a password"), await hasher.hash("a password")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


async def test_only_the_exact_password_matches(hasher: Argon2Hasher) -> None:
    """The case of every character matters."""
    password_hash = await hasher.hash("a password")
    assert await hasher.verify(password_hash, "a password")
    assert not await hasher.verify(password_hash, "A password")
    assert not await hasher.verify("not a hash", "a password")


async def test_composed_and_decomposed_letters_are_the_same_password(hasher: Argon2Hasher) -> None:
    """Keyboards and systems encode the letter ế differently."""
    password_hash = await hasher.hash("m\u1eadt kh\u1ea9u")
    assert await hasher.verify(password_hash, "ma\u0323\u0302t kha\u0302\u0309u")


async def test_without_a_hash_nothing_matches_but_the_work_is_the_same() -> None:
    """Verifying for an unknown user costs one verification with the same parameters."""
    verified: list[str] = []

    class RecordingHasher(Argon2Hasher):
        def _verify(self, password_hash: str, password: str) -> bool:
            verified.append(password_hash)
            return super()._verify(password_hash, password)

    hasher = RecordingHasher()
    assert not await hasher.verify(await hasher.hash("a password"), "a wrong password")
    assert not await hasher.verify(None, "a wrong password")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(verified[1], "a wrong password")
    of_user, of_nobody = (password_hash.rsplit("$", 2) for password_hash in verified)
    assert of_user[0] == of_nobody[0]
    assert [len(part) for part in of_user] == [len(part) for part in of_nobody]


async def test_hashes_with_other_parameters_are_outdated(hasher: Argon2Hasher) -> None:
    """They are replaced at the next sign-in."""
    weaker = Argon2Hasher(memory_kib=8 * 1024, passes=1)
    assert hasher.outdated(await weaker.hash("a password"))
    assert not hasher.outdated(await hasher.hash("a password"))


async def test_hashing_runs_in_at_most_two_threads_beside_the_event_loop() -> None:
    """Hashing does not block the event loop."""
    busy, most, lock = 0, 0, threading.Lock()
    loop_thread = threading.get_ident()

    class CountingHasher(Argon2Hasher):
        def _verify(self, password_hash: str, password: str) -> bool:
            nonlocal busy, most
            assert threading.get_ident() != loop_thread
            with lock:
                busy += 1
                most = max(most, busy)
            try:
                return super()._verify(password_hash, password)
            finally:
                with lock:
                    busy -= 1

    hasher = CountingHasher()
    await asyncio.gather(*(hasher.verify(None, "a password") for _ in range(10)))
    assert most == 2
