"""Waking up relays in other processes with PostgreSQL's LISTEN and NOTIFY.

After a commit that recorded events, the process notifies a channel that every relay listens to. The notification is
sent after the commit, not within it: PostgreSQL serializes the commits of transactions that notify. A lost notification
(the process dies in between, the listener is reconnecting) only delays events until the relay's next poll.

One notification covers everything committed before it, so a process never sends two at the same time.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy import text

from metastore.kit.database.unit_of_work import Database

_log = structlog.get_logger(__name__)

CHANNEL = "metastore_outbox"
PROBE_EVERY = 15.0
PROBE_WITHIN = 5.0
MAX_BACKOFF = 10.0


class Announcer:
    """Notifies other processes of the events that this process commits to ``database``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending = False
        self._task: asyncio.Task[None] | None = None
        if not database.single_writer:
            database.on_recorded(self._recorded)

    def _recorded(self) -> None:
        self._pending = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._notify(), name="notify relays")

    async def _notify(self) -> None:
        while self._pending:
            self._pending = False
            # Relays also poll, and an outage of the database is reported elsewhere.
            with contextlib.suppress(Exception):
                async with self._database.engine.connect() as connection:
                    autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await autocommit.execute(text(f"NOTIFY {CHANNEL}"))


async def listen(database: Database, wake: Callable[[], None]) -> None:
    """Call ``wake`` on every notification until cancelled, reconnecting when the connection is lost."""
    pause = 0.1
    while True:
        try:
            await _listen_once(database, wake)
            pause = 0.1
        except Exception as error:  # noqa: BLE001  listening must survive any failure of the database
            _log.info("cannot listen for notifications", error=repr(error))
            pause = min(MAX_BACKOFF, pause * 2)
        await asyncio.sleep(pause)


async def _listen_once(database: Database, wake: Callable[[], None]) -> None:
    lost = asyncio.Event()
    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            return
        driver.add_termination_listener(lambda _: lost.set())
        try:
            await driver.add_listener(CHANNEL, lambda *_: wake())
            wake()  # for events recorded while not listening
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_EVERY):
                        await lost.wait()
                        return
                await driver.execute("SELECT 1", timeout=PROBE_WITHIN)
        finally:
            await connection.invalidate()  # the pool must not reuse a listening connection
