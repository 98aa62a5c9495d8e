"""Units of work that come at the same time share a commit, and each still succeeds or fails by itself."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from metastore.kit.database import group_commit
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.problem import Problem
from tests.fixtures.databases import make_sqlite_database
from tests.kit.database.units import INSERT, SELECT, Refused, Units, full_log


async def test_units_that_come_together_share_a_commit(on_sqlite: Units) -> None:
    await on_sqlite.first()
    for number in (1, 2, 3):
        on_sqlite.start(number)
    assert [None] * 4 == await on_sqlite.go_on()
    assert ([0, 1, 2, 3], 1) == (await on_sqlite.numbers(), on_sqlite.commits)


async def test_a_unit_that_comes_alone_does_not_wait_for_others(on_sqlite: Units) -> None:
    for number in (0, 1, 2):
        await on_sqlite.insert(number)
    assert ([0, 1, 2], 3) == (await on_sqlite.numbers(), on_sqlite.commits)


async def test_nothing_of_a_group_is_seen_or_confirmed_before_its_commit(on_sqlite: Units) -> None:
    """Later units of the group see what the earlier ones wrote; reading transactions do not."""
    await on_sqlite.first()
    seen: list[tuple[list[int], list[int], bool]] = []

    async def look() -> None:
        async with on_sqlite.database.transaction() as tx:
            inside = list(await tx.session.scalars(SELECT))
            seen.append((inside, await on_sqlite.numbers(), on_sqlite.tasks[0].done()))

    on_sqlite.tasks.append(asyncio.create_task(look()))
    assert [None] * 2 == await on_sqlite.go_on()
    assert [([0], [], False)] == seen


async def test_a_failed_unit_harms_no_other(units: Units) -> None:
    """The first of a group, one in the middle, and the last."""
    await units.first()
    for number in range(1, 7):
        units.start(number, fails=number in (1, 3, 6))
    failures = await units.go_on()
    assert [1, 3, 6] == [number for number, failure in enumerate(failures) if isinstance(failure, Refused)]
    assert [0, 2, 4, 5] == await units.numbers()


async def test_when_the_first_unit_fails_the_others_are_committed(units: Units) -> None:
    proceed = asyncio.Event()
    units.start(0, until=proceed, fails=True)
    await asyncio.sleep(0)
    for number in (1, 2):
        units.start(number)
    await asyncio.sleep(0)
    proceed.set()
    failures = await asyncio.gather(*units.tasks, return_exceptions=True)
    assert [Refused, type(None), type(None)] == [type(failure) for failure in failures]
    assert [1, 2] == await units.numbers()


async def test_a_failed_statement_harms_no_other(units: Units) -> None:
    """Here because the number is taken, by a unit of the same group."""
    await units.first()
    for number in (1, 1, 2):
        units.start(number)
    failures = await units.go_on()
    assert [False, False, False, True] == sorted(failure is not None for failure in failures)
    assert [0, 1, 2] == await units.numbers()


async def test_a_commit_hook_that_raises_undoes_its_unit_alone(units: Units) -> None:
    refused: list[asyncio.Task[None] | None] = []

    async def hook(_tx: Transaction) -> None:
        if asyncio.current_task() in refused:
            raise Refused

    units.database.before_commit(hook)
    await units.first()
    units.start(1)
    refused.append(units.start(2))
    units.start(3)
    failures = await units.go_on()
    assert [2] == [number for number, failure in enumerate(failures) if failure is not None]
    assert [0, 1, 3] == await units.numbers()


async def test_parallel_units_never_pass_a_limit(units: Units) -> None:
    """Each is one conditional ``UPDATE``, as all limits are."""
    async with units.database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE test_limit AS SELECT 0 AS used"))
    taken = 0

    async def take(number: int) -> None:
        nonlocal taken
        async with units.database.transaction() as tx:
            await tx.session.execute(INSERT, {"unit": number})
            statement = text("UPDATE test_limit SET used = used + 1 WHERE used < 10 RETURNING used")
            if (await tx.session.execute(statement)).first() is None:
                raise Refused
        taken += 1

    await asyncio.gather(*(take(number) for number in range(40)), return_exceptions=True)
    async with units.database.reading() as tx:
        used = await tx.session.scalar(text("SELECT used FROM test_limit"))
    assert (10, 10, 10) == (taken, used, len(await units.numbers()))


async def test_when_the_commit_fails_all_units_fail_and_nothing_is_kept(on_sqlite: Units) -> None:
    await on_sqlite.first()
    for number in (1, 2, 3):
        on_sqlite.start(number)
    with full_log(on_sqlite.database):
        failures = await on_sqlite.go_on()
    assert [True] * 4 == [isinstance(failure, Problem) and failure.status in (503, 507) for failure in failures]
    assert ([], 0) == (await on_sqlite.numbers(), on_sqlite.commits)
    await on_sqlite.insert(4)
    assert [4] == await on_sqlite.numbers()


async def test_a_unit_that_failed_on_the_ground_of_a_failed_commit_reports_that_commit(on_sqlite: Units) -> None:
    """It found a number taken that was never stored."""
    await on_sqlite.first()
    on_sqlite.start(0)
    with full_log(on_sqlite.database):
        failures = await on_sqlite.go_on()
    assert [Problem, Problem] == [type(failure) for failure in failures]


async def test_a_full_disk_under_a_statement_fails_the_group_and_leaves_the_database_usable(on_sqlite: Units) -> None:
    """Some errors make SQLite roll back the whole transaction, here a full cache that cannot be written."""
    proceed = asyncio.Event()

    async def fill() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.session.execute(text("CREATE TABLE test_padding AS SELECT zeroblob(40000000) AS padding"))

    on_sqlite.start(0, until=proceed)
    await asyncio.sleep(0)
    filling = asyncio.create_task(fill())
    on_sqlite.start(1)
    await asyncio.sleep(0)
    with full_log(on_sqlite.database):
        proceed.set()
        failures = await asyncio.gather(*on_sqlite.tasks, filling, return_exceptions=True)
    assert [True] * 3 == [isinstance(failure, Problem) and failure.status in (503, 507) for failure in failures]
    assert [] == await on_sqlite.numbers()
    await on_sqlite.insert(2)
    assert [2] == await on_sqlite.numbers()


async def test_after_a_failed_commit_units_commit_separately(on_sqlite: Units) -> None:
    """A deletion that fits on a full disk must not fail with an upload that does not."""
    await on_sqlite.first()
    on_sqlite.start(1)
    with full_log(on_sqlite.database):
        await on_sqlite.go_on()
    await asyncio.gather(*(on_sqlite.insert(number) for number in (2, 3, 4)))
    assert ([2, 3, 4], 3) == (await on_sqlite.numbers(), on_sqlite.commits)


async def test_nobody_waits_for_the_end_of_a_long_transaction(on_sqlite: Units) -> None:
    await on_sqlite.first()
    held = asyncio.Event()

    async def work_long() -> None:
        async with on_sqlite.database.long_transaction() as tx:
            await tx.session.execute(INSERT, {"unit": 1})
            await held.wait()

    long = asyncio.create_task(work_long())
    await on_sqlite.go_on()
    assert [0] == await on_sqlite.numbers()
    held.set()
    await long
    assert [0, 1] == await on_sqlite.numbers()


async def test_a_group_takes_no_more_units_after_a_while(on_sqlite: Units, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the first of an endless queue would never get its response."""
    monkeypatch.setattr(group_commit, "MAX_SECONDS", 0.0)
    await on_sqlite.first()
    for number in (1, 2):
        on_sqlite.start(number)
    await on_sqlite.go_on()
    assert 3 == on_sqlite.commits


async def test_a_group_takes_no_more_than_so_many_units(on_sqlite: Units, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_UNITS", 4)
    await on_sqlite.first()
    for number in range(1, 10):
        on_sqlite.start(number)
    await on_sqlite.go_on()
    assert 3 == on_sqlite.commits


async def test_units_without_statements_end_at_once(units: Units) -> None:
    async def do_nothing() -> None:
        async with units.database.transaction():
            pass

    async with asyncio.timeout(60):
        await asyncio.gather(*(do_nothing() for _ in range(5)), *(units.insert(number) for number in range(3)))
        await asyncio.gather(*(do_nothing() for _ in range(5)))
    assert [0, 1, 2] == await units.numbers()


async def test_closing_the_database_waits_for_the_units_in_progress(tmp_path: Path) -> None:
    url = make_sqlite_database(tmp_path / "metastore.db")
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE test_units (unit INTEGER PRIMARY KEY)"))
    units = Units(database)
    await units.first()
    units.start(1)
    closing = asyncio.create_task(database.aclose())
    assert [None, None] == await units.go_on()
    await closing
    other = Units(Database(url))
    assert [0, 1] == await other.numbers()
    await other.database.aclose()
