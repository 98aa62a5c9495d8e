"""Waking up other processes with PostgreSQL's LISTEN and NOTIFY.

After a commit that others wait for, a process notifies a channel that they listen to. The notification is sent after
the commit, not within it: PostgreSQL serializes the commits of transactions that notify. A notification can be lost
(the process dies in between, the listener is reconnecting), so listeners also poll now and then.

SQLite has nothing of the kind, and needs none: its only process hears of its own commits (``Database.on_recorded``,
``Database.scheduled``).
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy import text

from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id

_log = structlog.get_logger(__name__)

PROBE_EVERY = 15.0
PROBE_WITHIN = 5.0
MAX_BACKOFF = 10.0


class Notifier:
    """Notifies the processes that listen to ``channel``. Does nothing on SQLite.

    One notification covers everything committed before it, so a notifier never sends two at the same time.
    """

    def __init__(self, database: Database, channel: str) -> None:
        self.sender = new_id()
        """The payload of its notifications, by which a process recognizes its own."""
        self._database = database
        self._channel = channel
        self._pending = False
        self._task: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Notify soon, without waiting for it."""
        if self._database.single_writer:
            return
        self._pending = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._notify(), name=f"notify {self._channel}")

    async def _notify(self) -> None:
        while self._pending:
            self._pending = False
            # Listeners also poll, and an outage of the database is reported elsewhere.
            with contextlib.suppress(Exception):
                async with self._database.engine.connect() as connection:
                    autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await autocommit.execute(text(f"NOTIFY {self._channel}, '{self.sender}'"))


async def listen(
    database: Database, channel: str, wake: Callable[[], None], *, except_of: Notifier | None = None
) -> None:
    """Call ``wake`` on every notification until cancelled, reconnecting when the connection is lost.

    Notifications of the notifier ``except_of`` are ignored. Also calls it after connecting, for what was committed
    before. On SQLite it only waits.
    """
    if database.single_writer:
        await asyncio.Event().wait()
    pause = 0.1
    while True:
        try:
            await _listen_once(database, channel, wake, except_of)
            pause = 0.1
        except Exception as error:  # noqa: BLE001  listening must survive any failure of the database
            _log.info("cannot listen for notifications", channel=channel, error=repr(error))
            pause = min(MAX_BACKOFF, pause * 2)
        await asyncio.sleep(pause)


async def _listen_once(database: Database, channel: str, wake: Callable[[], None], except_of: Notifier | None) -> None:
    lost = asyncio.Event()

    def on_notification(_connection: object, _pid: int, _channel: str, sender: object) -> None:
        if except_of is None or sender != except_of.sender:
            wake()

    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            return
        driver.add_termination_listener(lambda _: lost.set())
        try:
            await driver.add_listener(channel, on_notification)
            wake()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_EVERY):
                        await lost.wait()
                        return
                await driver.execute("SELECT 1", timeout=PROBE_WITHIN)
        finally:
            await connection.invalidate()  # the pool must not reuse a listening connection
