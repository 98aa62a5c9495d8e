"""Telling a fault of what was asked from a time at which nothing could be done."""

from metastore.kit.problem import Problem
from metastore.ports.event_bus import BusUnavailableError
from metastore.ports.object_store import DamagedObjectError, StoreFullError, StoreUnavailableError


def is_outage(error: BaseException) -> bool:
    """Whether ``error`` says that the database, the store or the bus is away or full, whatever it was asked."""
    if isinstance(error, Problem):
        return error.status in (503, 507)
    if isinstance(error, DamagedObjectError):
        return False
    return isinstance(error, StoreUnavailableError | StoreFullError | BusUnavailableError | ConnectionError)
