"""Cancelled units and killed processes leave whole units, and all that was confirmed."""

import asyncio
import sys

import pytest
from sqlalchemy import text

from tests.fixtures.waiting import eventually
from tests.kit.database.units import INSERT, Units


@pytest.mark.parametrize("cancelled", [0, 1, 3])
async def test_a_unit_cancelled_before_its_end_is_undone_alone(units: Units, cancelled: int) -> None:
    """While it waits for its turn, and between its statements."""
    await units.first()
    held = asyncio.Event()
    for number in (1, 2, 3):
        units.start(number, until=held if number == cancelled else None)
    if cancelled:
        await asyncio.sleep(0)
        units.tasks[2].cancel()  # waits for its turn
        proceed = asyncio.create_task(units.go_on())
        await eventually(lambda: cancelled in units.inserted)
        units.tasks[cancelled].cancel()
        failures = await proceed
    else:
        await asyncio.sleep(0)
        units.tasks[0].cancel()
        units.tasks[2].cancel()
        failures = await units.go_on()
    gone = {2, cancelled}
    assert gone == {number for number, failure in enumerate(failures) if isinstance(failure, asyncio.CancelledError)}
    assert [number for number in range(4) if number not in gone] == await units.numbers()


async def test_a_unit_cancelled_within_a_statement_is_undone_alone(on_sqlite: Units) -> None:
    """The statement goes on in its thread; the unit is undone after it, and those before it stay."""
    await on_sqlite.first()
    started = asyncio.Event()

    async def insert_slowly() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.session.execute(INSERT, {"unit": 1})
            started.set()
            many = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            await tx.session.execute(text(f"INSERT INTO test_units {many} SELECT i FROM n"))  # noqa: S608

    slow = asyncio.create_task(insert_slowly())
    on_sqlite.tasks.append(slow)
    on_sqlite.start(2)
    going_on = asyncio.create_task(on_sqlite.go_on())
    await started.wait()
    await asyncio.sleep(0)
    slow.cancel()
    failures = await going_on
    assert [type(None), asyncio.CancelledError, type(None)] == [type(failure) for failure in failures]
    assert [0, 2] == await on_sqlite.numbers()
    assert 1 == on_sqlite.commits


async def test_a_unit_that_goes_on_after_a_cancelled_statement_is_undone(on_sqlite: Units) -> None:
    """Nobody knows what the statement has done."""

    async def ignore_the_time_limit() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.session.execute(INSERT, {"unit": 1})
            try:
                async with asyncio.timeout(0):
                    await tx.session.execute(INSERT, {"unit": 2})
            except TimeoutError:
                pass

    with pytest.raises(Exception, match="cancelled"):
        await ignore_the_time_limit()
    await on_sqlite.insert(3)
    assert [3] == await on_sqlite.numbers()


async def test_a_unit_cancelled_while_it_waits_for_the_commit_is_committed_with_the_others(on_sqlite: Units) -> None:
    """Cancelling during a commit leaves open whether it happens; here it does, and its events are announced."""
    await on_sqlite.first()
    held = asyncio.Event()
    on_sqlite.start(1)
    on_sqlite.start(2, until=held)
    going_on = asyncio.create_task(on_sqlite.go_on())
    await eventually(lambda: 2 in on_sqlite.inserted)
    on_sqlite.tasks[1].cancel()
    held.set()
    assert [type(None), asyncio.CancelledError, type(None)] == [type(failure) for failure in await going_on]
    assert ([0, 1, 2], 1) == (await on_sqlite.numbers(), on_sqlite.commits)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("deadly", [1, 7, 64, 203, 500])
async def test_a_killed_process_leaves_whole_units_and_all_that_it_confirmed(units: Units, deadly: int) -> None:
    """SIGKILL in the middle of a unit, while others of its group wait for the commit."""
    async with units.database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE test_units"))
        await connection.execute(text("CREATE TABLE test_units (unit INTEGER, half INTEGER)"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fixtures.killable_group_writer",
        str(units.database.url.database),
        str(deadly),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    confirmed = [int(line) for line in output.split()]
    stored = await units.numbers()
    assert (-9, True) == (process.returncode, len(confirmed) > 0 or deadly < 9)
    assert set(confirmed) <= set(stored)
    assert all(stored.count(unit) == 2 for unit in stored)
    assert deadly not in stored
