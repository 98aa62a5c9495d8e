"""Signed tokens come back unchanged or not at all."""

import pytest

from metastore.kit.api.signed_tokens import TokenSigner

SIGNER = TokenSigner(b"k" * 32)


@pytest.mark.parametrize("body", [b"", b"\0", b"body", bytes(range(256))])
def test_a_token_holds_its_body(body: bytes) -> None:
    assert body == SIGNER.body_of(SIGNER.sign(body))


def test_a_token_that_was_changed_is_not_valid() -> None:
    token = SIGNER.sign(b"body")
    for at, char in enumerate(token):
        assert SIGNER.body_of(token[:at] + ("A" if char != "A" else "B") + token[at + 1 :]) is None


@pytest.mark.parametrize("token", ["", "A", "AAAA", "é", "../..", "A" * 22, "A" * 10_000])
def test_what_is_no_token_is_not_valid(token: str) -> None:
    assert SIGNER.body_of(token) is None


def test_another_spelling_of_a_token_is_not_valid() -> None:
    token = SIGNER.sign(b"body")
    assert [None, None, None] == [SIGNER.body_of(other) for other in (f"{token}=", f" {token}", f"{token}\n")]


def test_a_token_of_another_key_is_not_valid() -> None:
    assert TokenSigner(b"x" * 32).body_of(SIGNER.sign(b"body")) is None
