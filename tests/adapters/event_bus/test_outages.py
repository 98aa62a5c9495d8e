"""What is an outage, and for how long one is believed."""

import pytest

from metastore.adapters.event_bus.outages import Outages
from metastore.kit.problem import Problem, not_found, storage_full, unavailable
from metastore.kit.problem_codes import ProblemCode
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, StoreFullError, StoreUnavailableError
from metastore.ports.outage import is_outage
from tests.fixtures.events import event


@pytest.mark.parametrize(
    "error", [unavailable("away"), storage_full(), StoreUnavailableError(), StoreFullError(), ConnectionResetError()]
)
def test_what_is_away_is_no_fault_of_the_event(error: Exception) -> None:
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
def test_what_the_event_itself_meets_counts_as_a_try(error: Exception) -> None:
    """A damaged object is damaged for this event alone, and a handler that hangs may hang on it."""
    assert not is_outage(error)


def test_an_outage_without_an_end_is_not_believed_for_ever() -> None:
    """After the patience its failures are tries, until the event has been handled in between."""
    patient, weary = Outages("guest"), Outages("guest", patience=0)
    failed = event()
    assert patient.excuse("1", failed, unavailable("away"))
    assert patient.excuse("1", failed, unavailable("away"))
    assert not patient.excuse("1", failed, KeyError())
    assert not weary.excuse("1", failed, unavailable("away"))
