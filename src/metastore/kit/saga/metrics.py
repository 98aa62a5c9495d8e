"""Prometheus metrics of sagas."""

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge, Histogram

from metastore.kit.database.unit_of_work import Database
from metastore.kit.saga import claims
from metastore.kit.saga.models import COMPENSATING, RUNNING, Saga

UNDER_WAY = Gauge("metastore_sagas", "Sagas that have not ended, by kind and state.", ["kind", "state"])
STUCK = Gauge("metastore_sagas_stuck", "Sagas that have been due for minutes and are not claimed.", ["kind"])
ENDED = Counter("metastore_sagas_ended_total", "Sagas that ended in runners of this process.", ["kind", "state"])
STEP_SECONDS = Histogram(
    "metastore_saga_step_seconds",
    "Duration of one attempt at a step or its compensation.",
    ["kind", "step", "state"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 3600),
)

MEASURE_EVERY = 15.0
STUCK_AFTER = timedelta(minutes=5)
_measured_at = [float("-inf")]


@contextlib.contextmanager
def timed(saga: Saga) -> Iterator[None]:
    """Measure the block as an attempt at the saga's step."""
    began = time.monotonic()
    try:
        yield
    finally:
        STEP_SECONDS.labels(saga.kind, saga.step, saga.state).observe(time.monotonic() - began)


async def measure(database: Database, now: datetime) -> None:
    """Update the gauges, at most every ``MEASURE_EVERY`` seconds."""
    if time.monotonic() - _measured_at[0] < MEASURE_EVERY:
        return
    _measured_at[0] = time.monotonic()
    async with database.reading() as tx:
        by_state, late = await claims.counts(tx, now, now - STUCK_AFTER)
    for kind in {kind for kind, _ in by_state}:
        for state in (RUNNING, COMPENSATING):
            UNDER_WAY.labels(kind, state).set(by_state.get((kind, state), 0))
        STUCK.labels(kind).set(late.get(kind, 0))
