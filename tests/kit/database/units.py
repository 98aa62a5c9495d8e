"""Units of work that share commits as a test wants it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from metastore.kit.database.unit_of_work import Database
from tests.fixtures.events import SampleRecorded
from tests.fixtures.full_device import files_limited_to

INSERT = text("INSERT INTO test_units VALUES (:unit)")
SELECT = text("SELECT unit FROM test_units ORDER BY unit")


class Refused(Exception):
    """The error of units that fail by themselves."""


class Units:
    """Units of work that insert a number. They wait for each other, so that a test chooses who shares a commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits = 0
        self.inserted: set[int] = set()
        self.tasks: list[asyncio.Task[None]] = []
        self._may_go_on = asyncio.Event()
        database.on_recorded(self._count)

    def _count(self) -> None:
        self.commits += 1

    async def insert(self, number: int, *, until: asyncio.Event | None = None, fails: bool = False) -> None:
        """Insert ``number``, then wait, then fail if asked to."""
        async with self.database.transaction() as tx:
            await tx.session.execute(INSERT, {"unit": number})
            tx.record(SampleRecorded(sample="copper", number=number))
            self.inserted.add(number)
            if until is not None:
                await until.wait()
            if fails:
                raise Refused

    def start(self, number: int, *, until: asyncio.Event | None = None, fails: bool = False) -> asyncio.Task[None]:
        """Start a unit that takes its turn after those started before."""
        self.tasks.append(asyncio.create_task(self.insert(number, until=until, fails=fails)))
        return self.tasks[-1]

    async def first(self) -> None:
        """Start the first unit, which ends after ``go_on``. All that are started until then join its group."""
        self.start(0, until=self._may_go_on)
        await asyncio.sleep(0)

    async def go_on(self) -> list[BaseException | None]:
        """Let the first unit end after all others have queued. Return the errors of all."""
        await asyncio.sleep(0)
        self._may_go_on.set()
        return await asyncio.gather(*self.tasks, return_exceptions=True)

    async def numbers(self) -> list[int]:
        """Return the committed numbers."""
        async with self.database.reading() as tx:
            return list(await tx.session.scalars(SELECT))


@contextmanager
def full_log(database: Database) -> Iterator[None]:
    """Keep the write-ahead log from growing, so that commits fail."""
    with files_limited_to(Path(f"{database.url.database}-wal").stat().st_size):
        yield
