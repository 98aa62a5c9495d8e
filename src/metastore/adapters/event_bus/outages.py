"""Telling an event that is poison from a time at which no event could be handled.

While the database or the object store is away every handler fails. Counted as tries, such failures would set aside
all that is under way; so an outage does not count. Its event is tried again soon, and for hours, and whatever it
holds up is only what is about the same thing.
"""

import time

import structlog

from metastore.kit.outbox import RecordedEvent
from metastore.ports.outage import is_outage

_log = structlog.get_logger(__name__)

TRY_EVERY = 2.0
PATIENCE = 6 * 3600.0
"""Seconds for which an outage is believed; what goes on failing after that counts as a try."""


class Outages:
    """Since when deliveries, named by their ids, have met outages and nothing else."""

    def __init__(self, consumer: str, patience: float = PATIENCE) -> None:
        self._consumer = consumer
        self._patience = patience
        self._since: dict[str, float] = {}

    def excuse(self, delivery_id: str, event: RecordedEvent, error: BaseException) -> bool:
        """Whether this failure does not count as a try; the first of an outage is logged."""
        if not is_outage(error):
            self.over(delivery_id)
            return False
        now = time.monotonic()
        if delivery_id not in self._since:
            _log.warning(
                "an event waits for what is away",
                consumer=self._consumer,
                event_type=event.event_type,
                event_id=event.id,
                dead=False,
                error=repr(error),
            )
        return now - self._since.setdefault(delivery_id, now) < self._patience

    def over(self, delivery_id: str) -> None:
        """The delivery is done with, or failed by its own fault."""
        self._since.pop(delivery_id, None)
