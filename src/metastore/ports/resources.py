"""The resources that features are built from."""

from collections.abc import Callable
from dataclasses import dataclass

from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.ports.event_bus import EventBus
from metastore.ports.media_tools import MediaTools
from metastore.ports.object_store import ObjectStore
from metastore.ports.rate_limiter import RateLimiter
from metastore.ports.realtime import Realtime
from metastore.ports.transcoder import Transcoder


@dataclass(frozen=True, slots=True)
class Resources:
    """The database and one adapter for each port, opened by ``bootstrap``.

    ``wake_sagas`` makes this process's saga runner look for due sagas at once instead of at its next poll.
    """

    database: Database
    store: ObjectStore
    bus: EventBus
    realtime: Realtime
    limiter: RateLimiter
    media_tools: MediaTools
    transcoder: Transcoder
    clock: Clock
    wake_sagas: Callable[[], None]
