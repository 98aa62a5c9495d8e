"""When to retry an event whose handler failed, and how the failure is logged and described."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from metastore.adapters.event_bus.outages import RETRY_INTERVAL
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import BACKOFF

_log = structlog.get_logger(__name__)

ERROR_LENGTH = 2000
"""Characters of an error message that are kept with a dead letter."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to retry a failed event. All durations are in seconds.

    ``backoff`` lists the delays between attempts; the last one repeats. A handler that runs longer than
    ``handler_timeout`` counts as failed. ``outage_interval`` is the delay between retries during an outage.
    """

    backoff: Sequence[float] = BACKOFF
    handler_timeout: float = 120.0
    outage_interval: float = RETRY_INTERVAL

    def delay_after(self, attempts: int) -> float:
        """Return the delay before the next attempt, after ``attempts`` failed ones."""
        return self.backoff[min(attempts, len(self.backoff)) - 1]


def log_failure(consumer: str, event: RecordedEvent, attempts: int, error: Exception, *, dead: bool) -> None:
    """Log a failed attempt, the last one with its traceback."""
    _log.warning(
        "event handler failed",
        consumer=consumer,
        event_type=event.event_type,
        event_id=event.id,
        attempts=attempts,
        dead=dead,
        error=describe(error),
        # Once per event: with hundreds of failures, tracebacks would dominate both the work and the log.
        exc_info=error if dead else None,
    )


def describe(error: Exception) -> str:
    """Return the text of an error as it is stored with a dead letter."""
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
