"""Reason codes as they come back from storage."""

import pytest

from metastore.kit.problems.reason_codes import ReasonCode, known_reason


@pytest.mark.parametrize("code", ReasonCode)
def test_a_stored_code_is_the_member_that_it_was(code: ReasonCode) -> None:
    assert code is known_reason(code.value)


@pytest.mark.parametrize("code", [None, "", "of-a-newer-version"])
def test_no_code_and_an_unknown_one_are_none(code: str | None) -> None:
    assert known_reason(code) is None
