"""Translate Kafka errors into those of the port."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the package has no types

from metastore.ports.event_bus import BusUnavailableError

# aiokafka logs an unreachable broker over and over; our callers log it once.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@contextmanager
def broker_errors() -> Iterator[None]:
    """Raise ``BusUnavailableError`` for errors of the broker or the connection within the block."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no response"
        raise BusUnavailableError(f"Kafka: {type(error).__name__}: {reason}") from error
