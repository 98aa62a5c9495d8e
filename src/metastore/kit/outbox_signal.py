"""Waking relays in other processes: PostgreSQL's LISTEN and NOTIFY.

After a commit that recorded facts, the process says so on a channel which every relay listens to. The notice is sent
after the commit and not within it: PostgreSQL commits transactions that notify one at a time, which would hold up the
whole product to save the relays a look. A notice that is lost (a process that dies in between, a listener that is
reconnecting) costs the time until the relay's next look, and nothing else.

One notice tells of everything committed before it, so a process sends one at a time, however much it records.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy import text

from metastore.kit.database import Database

_log = structlog.get_logger(__name__)

CHANNEL = "metastore_outbox"
PROBE_EVERY = 15.0
PROBE_WITHIN = 5.0
LONGEST_PAUSE = 10.0


class Announcer:
    """Tells other processes of the facts that ``database`` commits in this one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._to_tell = False
        self._telling: asyncio.Task[None] | None = None
        if not database.single_writer:
            database.on_recorded(self._recorded)

    def _recorded(self) -> None:
        self._to_tell = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="announce facts")

    async def _tell(self) -> None:
        while self._to_tell:
            self._to_tell = False
            # Relays look by themselves, too; a database that is away shows elsewhere.
            with contextlib.suppress(Exception):
                async with self._database.engine.connect() as connection:
                    autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await autocommit.execute(text(f"NOTIFY {CHANNEL}"))


async def listen(database: Database, wake: Callable[[], None]) -> None:
    """Call ``wake`` at every notice until cancelled, over one connection after another."""
    pause = 0.1
    while True:
        try:
            await _listen_once(database, wake)
            pause = 0.1
        except Exception as error:  # noqa: BLE001  listening must outlive any fault of the database
            _log.info("notices of facts cannot be heard", error=repr(error))
            pause = min(LONGEST_PAUSE, pause * 2)
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
            wake()  # for what was recorded while nobody listened
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_EVERY):
                        await lost.wait()
                        return
                await driver.execute("SELECT 1", timeout=PROBE_WITHIN)
        finally:
            await connection.invalidate()  # it listens: it is no good for others
