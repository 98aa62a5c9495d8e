"""Reason codes read from the database."""

import pytest

from metastore.kit.problems.reason_codes import ReasonCode, known_reason


@pytest.mark.parametrize("code", ReasonCode)
def test_a_stored_code_becomes_its_enum_member(code: ReasonCode) -> None:
    assert code is known_reason(code.value)


@pytest.mark.parametrize("code", [None, "", "of-a-newer-version"])
def test_a_missing_or_unknown_code_becomes_none(code: str | None) -> None:
    assert known_reason(code) is None
