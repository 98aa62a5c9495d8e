"""The grants of visitors."""

import pytest

from metastore.features.sharing.public.visitor_grants import VisitorGrants
from metastore.kit.ids import new_id
from tests.fixtures.clocks import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def grants(clock: SettableClock) -> VisitorGrants:
    return VisitorGrants(b"k" * 32, clock)


def test_a_grant_says_who_opened_which_version_of_a_link(grants: VisitorGrants) -> None:
    issued = grants.issue(new_id(), 7, new_id())

    assert issued == grants.verify(issued.token)


def test_a_grant_is_valid_for_15_minutes(grants: VisitorGrants, clock: SettableClock) -> None:
    token = grants.issue(new_id(), 1, new_id()).token

    clock.forward(15 * 60 - 1)
    assert grants.verify(token)
    clock.forward(1)
    assert grants.verify(token) is None


def test_a_grant_is_renewed_after_five_minutes(grants: VisitorGrants, clock: SettableClock) -> None:
    """For the same visitor and version."""
    first = grants.issue(new_id(), 3, new_id())
    clock.forward(4 * 60)
    assert grants.renewed(first) is None
    clock.forward(2 * 60)

    second = grants.renewed(first)

    assert second
    assert (first.link_id, first.version, first.visitor_id) == (second.link_id, second.version, second.visitor_id)
    clock.forward(14 * 60)
    assert grants.verify(first.token) is None
    assert grants.verify(second.token)


@pytest.mark.parametrize("position", range(0, 75, 6))
def test_a_grant_that_was_tampered_with_is_no_grant(grants: VisitorGrants, position: int) -> None:
    token = grants.issue(new_id(), 1, new_id()).token
    other = "A" if token[position] != "A" else "B"

    assert grants.verify(token[:position] + other + token[position + 1 :]) is None


@pytest.mark.parametrize("token", [None, "", "x", "é", "A" * 76, "A" * 10_000, "../..", "\0"])
def test_anything_else_is_no_grant(grants: VisitorGrants, token: str | None) -> None:
    assert grants.verify(token) is None


def test_a_grant_of_another_instance_is_no_grant(grants: VisitorGrants) -> None:
    assert grants.verify(VisitorGrants(b"o" * 32).issue(new_id(), 1, new_id()).token) is None
