"""Validation of usernames, addresses and passwords."""

import pytest
from pydantic import ValidationError

from metastore.features.auth.schemas import Credentials, ProfileChange, Registration

VALID = {"username": "mai", "email": "mai@example.org", "password": "correct horse battery"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a" * 65),
        ("username", "has space"),
        ("username", "-dash-first"),
        ("username", "nul\0here"),
        ("username", "bell\x07bell"),
        ("username", "a@b.example"),
        ("username", "hidden\u200djoiner"),
        ("username", 12345),
        ("email", "no-at-sign"),
        ("email", "two@@example.org"),
        ("email", "@example.org"),
        ("email", "a@nodot"),
        ("email", "a@-bad.example"),
        ("email", "a b@example.org"),
        ("email", "a" * 250 + "@example.org"),
        ("password", "short-7"),
        ("password", "p" * 257),
        ("password", "nul\0 in the password"),
        ("password", "lone \ud800 surrogate"),
        ("password", None),
        ("displayName", ""),
        ("displayName", "  "),
        ("displayName", "d" * 101),
        ("displayName", "line\nbreak"),
    ],
)
def test_an_invalid_field_is_named(field: str, value: object) -> None:
    """There is one error, which names the field."""
    with pytest.raises(ValidationError) as caught:
        Registration.model_validate({**VALID, field: value})
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize("name", ["Nguyễn.Văn_A-1", "मीरा", "田中さん", "abc", "a" * 64])
def test_names_may_be_written_in_any_script(name: str) -> None:
    """Letters, marks and digits of every script are valid, separated by ``.``, ``_`` or ``-``."""
    assert Registration.model_validate({**VALID, "username": name}).username == name


def test_names_are_normalized() -> None:
    """Decomposed letters and wide forms are converted to NFKC."""
    registration = Registration.model_validate(
        {**VALID, "username": "Nguye\u0302\u0303n", "displayName": " Nguye\u0302\u0303n "}
    )
    assert (registration.username, registration.display_name) == ("Nguyễn", "Nguyễn")


@pytest.mark.parametrize("email", ["a@b.example", "first.last+tag@sub.example.org", "thư@bưu-điện.example", "o'x@b.co"])
def test_ordinary_addresses_are_valid(email: str) -> None:
    """Including tags, subdomains and other scripts."""
    assert Registration.model_validate({**VALID, "email": f" {email} "}).email == email


@pytest.mark.parametrize("password", ["8 chars.", "p" * 256, "mật khẩu dài", "        "])
def test_passwords_may_be_any_text_of_8_to_256_characters(password: str) -> None:
    """They are not stripped."""
    assert Registration.model_validate({**VALID, "password": password}).password == password


def test_no_repr_shows_the_password() -> None:
    """Request bodies may end up in a log."""
    given: list[object] = [Registration.model_validate(VALID), Credentials(username="mai", password=VALID["password"])]
    given.append(ProfileChange(password=VALID["password"], current_password=VALID["password"]))
    assert VALID["password"] not in repr(given)
