"""Distinguish outages from request errors."""

from metastore.kit.problems.problem import Problem
from metastore.ports.event_bus import BusUnavailableError
from metastore.ports.object_store import DamagedObjectError, StoreFullError, StoreUnavailableError


def is_outage(error: BaseException) -> bool:
    """Return whether ``error`` means that the database, the object store or the event bus is unavailable or full."""
    if isinstance(error, Problem):
        return error.status in (503, 507)
    if isinstance(error, DamagedObjectError):
        return False
    return isinstance(error, StoreUnavailableError | StoreFullError | BusUnavailableError | ConnectionError)
