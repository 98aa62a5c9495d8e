"""A product that nobody uses does nothing: it asks the database nothing, and sleeps."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import running
from tests.fixtures.statement_counter import counting_statements
from tests.fixtures.waiting import eventually
from tests.fixtures.wake_ups import memory, wake_ups

QUIET_SECONDS = 4.0
WAKE_UPS_PER_SECOND = 5
MEMORY = 130 * 2**20


async def test_an_idle_product_asks_its_database_nothing(tmp_path: Path, database_url: str) -> None:
    """After it has handled what was done last. Slow polls, of half a minute and more, are allowed."""
    with counting_statements() as counter:
        async with running(tmp_path, database_url=database_url) as product:
            user = await product.signed_in()
            await user.json_of("POST", "/api/v1/folders", 201, json={"name": "Photos"})
            await eventually(lambda: _grows_little(lambda: len(counter.executed), 0), interval=0)


async def test_an_idle_process_hardly_wakes_up(tmp_path: Path) -> None:
    """It is the installed command, which shares no memory with the tests."""
    process = MetastoreProcess(tmp_path)
    process.is_forked = False
    process.start()
    try:
        allowed = int(QUIET_SECONDS * WAKE_UPS_PER_SECOND)
        await eventually(lambda: _grows_little(lambda: wake_ups(process.pid), allowed), interval=0)
        assert memory(process.pid) < MEMORY
    finally:
        process.kill()


async def _grows_little(count: Callable[[], int], allowed: int) -> bool:
    """Return whether ``count`` grows by no more than ``allowed`` in ``QUIET_SECONDS``."""
    before, until = count(), time.monotonic() + QUIET_SECONDS
    await eventually(lambda: time.monotonic() > until)
    return count() - before <= allowed
