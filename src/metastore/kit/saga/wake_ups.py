"""When a runner looks for due sagas.

Nothing polls while nothing happens. A runner sleeps until the next due time that it knows of, and is woken by commits
that start or release sagas: in its own process by ``Database.scheduled``, in others by PostgreSQL's NOTIFY. A signal
can be lost, and other processes can change a SQLite database without one (``metastore admin reprocess``), so a runner
also looks every ``POLL_SECONDS``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from metastore.kit.clock import Clock, utc_now
from metastore.kit.database import notifications
from metastore.kit.database.notifications import Notifier
from metastore.kit.database.unit_of_work import Database, Transaction

POLL_SECONDS = 30.0
_TOPIC = "sagas"
_CHANNEL = "metastore_sagas"


def schedule(tx: Transaction, due_at: datetime) -> None:
    """Wake the runners after the commit of ``tx``, in which a saga becomes due at ``due_at``."""
    tx.schedule(_TOPIC, due_at)


class SagaAnnouncer:
    """Notifies the runners of other processes of the sagas that this process makes due."""

    def __init__(self, database: Database) -> None:
        notifier = Notifier(database, _CHANNEL)

        def notify(due_at: datetime) -> None:
            if _is_before_next_poll(due_at, utc_now()):
                notifier.notify()

        database.on_scheduled(_TOPIC, notify)


@contextlib.asynccontextmanager
async def waking(
    database: Database, wake: Callable[[], None], *, clock: Clock, poll_seconds: float
) -> AsyncIterator[None]:
    """Call ``wake`` after commits, in any process, that make a saga due before the next poll.

    It does so until the end of the block.
    """

    def on_scheduled(due_at: datetime) -> None:
        if _is_before_next_poll(due_at, clock(), poll_seconds):
            wake()

    listening = asyncio.create_task(notifications.listen(database, _CHANNEL, wake), name="listen for sagas")
    try:
        with database.scheduled(_TOPIC, on_scheduled):
            yield
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _is_before_next_poll(due_at: datetime, now: datetime, poll_seconds: float = POLL_SECONDS) -> bool:
    return due_at - now < timedelta(seconds=poll_seconds)
