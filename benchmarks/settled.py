"""Wait until a server has handled all events."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.process import ServerProcess

_LONGEST_SECONDS = 120.0
_QUIET_SAMPLES = 10


def settled(process: ServerProcess, database: Path) -> float:
    """Wait until all events of the SQLite ``database`` are handled, and return when they were, by ``perf_counter``.

    Raises:
        RuntimeError: they are not handled after two minutes.
    """
    deadline = time.monotonic() + _LONGEST_SECONDS
    since, samples = time.perf_counter(), 0
    with _reading_database(database) as connection:
        while samples < _QUIET_SAMPLES:
            if not process.is_asleep() or _unhandled(connection):
                since, samples = time.perf_counter(), 0
            if time.monotonic() > deadline:
                raise RuntimeError("the events are not handled")
            samples += 1
            time.sleep(0.015)
    return since


def _unhandled(connection: sqlite3.Connection) -> bool:
    """Return whether events wait to be published or retried. That consumers have handled them is seen by their rest."""
    pending = "SELECT EXISTS (SELECT 1 FROM outbox_events WHERE status = 'pending')"
    queued = "SELECT EXISTS (SELECT 1 FROM queued_events)"
    return any(connection.execute(query).fetchone()[0] for query in (pending, queued))


@contextmanager
def _reading_database(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        yield connection
