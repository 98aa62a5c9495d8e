"""What goes wrong with Kafka, in the words of the port."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the package has no types

from metastore.ports.event_bus import BusUnavailableError

# What it logs of a broker that is away, we say ourselves, once.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@contextmanager
def broker_faults() -> Iterator[None]:
    """Turn what the broker or the connection does wrong in the block into ``BusUnavailableError``."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it does not answer"
        raise BusUnavailableError(f"Kafka: {type(error).__name__}: {reason}") from error
