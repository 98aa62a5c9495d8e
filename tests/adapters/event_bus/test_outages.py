"""Which errors are outages, and how long outages do not count as attempts."""

import pytest

from metastore.adapters.event_bus.outages import OutageTracker
from metastore.kit.problems.problem import Problem, not_found, storage_full, unavailable
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, StoreFullError, StoreUnavailableError
from metastore.ports.outage import is_outage
from tests.fixtures.events import event


@pytest.mark.parametrize(
    "error", [unavailable("down"), storage_full(), StoreUnavailableError(), StoreFullError(), ConnectionResetError()]
)
def test_unavailable_dependencies_are_outages(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        not_found(),
        Problem(500, ProblemCode.INTERNAL_ERROR, "Oops."),
        DamagedObjectError(),
        ObjectNotFoundError(),
        TimeoutError(),
        KeyError(),
    ],
)
def test_errors_of_the_event_itself_are_not_outages(error: Exception) -> None:
    """A damaged object affects one event only, and a handler may hang because of its event."""
    assert not is_outage(error)


def test_an_outage_is_excused_only_up_to_the_limit() -> None:
    """After the limit, outage errors count as attempts, until another outcome resets the clock."""
    tracker, expired = OutageTracker("recorder"), OutageTracker("recorder", limit=0)
    failed = event()
    assert tracker.is_excused("1", failed, unavailable("down"))
    assert tracker.is_excused("1", failed, unavailable("down"))
    assert not tracker.is_excused("1", failed, KeyError())
    assert not expired.is_excused("1", failed, unavailable("down"))
