"""Outages do not count as delivery attempts.

While the database or the object store is unavailable, every handler fails. If those failures counted as attempts, an
outage would dead-letter every event in flight. Instead the event is retried at a short fixed interval, for hours if
necessary, and only later events of the same aggregate wait behind it.
"""

import time

import structlog

from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.outage import is_outage

_log = structlog.get_logger(__name__)

RETRY_INTERVAL = 2.0
"""Default number of seconds between retries during an outage."""
OUTAGE_LIMIT = 6 * 3600.0
"""Seconds after which continued outage errors count as attempts."""


class OutageTracker:
    """Tracks since when each delivery of a consumer has failed with outage errors only.

    ``limit`` is the number of seconds after which such failures count as attempts after all.
    """

    def __init__(self, consumer: str, limit: float = OUTAGE_LIMIT) -> None:
        self._consumer = consumer
        self._limit = limit
        self._since: dict[str, float] = {}

    def is_excused(self, delivery_id: str, event: RecordedEvent, error: BaseException) -> bool:
        """Return whether this failure does not count as an attempt.

        The first failure of each outage is logged. An error that is no outage ends the tracking of the delivery.
        """
        if not is_outage(error):
            self.clear(delivery_id)
            return False
        now = time.monotonic()
        if delivery_id not in self._since:
            _log.warning(
                "event waits for an outage to end",
                consumer=self._consumer,
                event_type=event.event_type,
                event_id=event.id,
                dead=False,
                error=repr(error),
            )
        return now - self._since.setdefault(delivery_id, now) < self._limit

    def clear(self, delivery_id: str) -> None:
        """Stop tracking a delivery that was handled, was dead-lettered or failed for a reason of its own."""
        self._since.pop(delivery_id, None)
