"""Waking up relays in other processes when events are recorded (see ``kit.database.notifications``)."""

from collections.abc import Callable

from metastore.kit.database import notifications
from metastore.kit.database.notifications import Notifier
from metastore.kit.database.unit_of_work import Database

CHANNEL = "metastore_outbox"


class Announcer:
    """Notifies other processes of the events that this process commits to ``database``."""

    def __init__(self, database: Database) -> None:
        database.on_recorded(Notifier(database, CHANNEL).notify)


async def listen(database: Database, wake: Callable[[], None]) -> None:
    """Call ``wake`` whenever another process has recorded events, until cancelled."""
    await notifications.listen(database, CHANNEL, wake)
