"""Which errors of PostgreSQL are reported as outages."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from tests.fixtures.postgres import Postgres


@pytest.mark.parametrize("code", ["57P03", "53300", "08006", "57014", "55P03", "40P01"])
async def test_transient_errors_are_unavailable(postgres: Postgres, code: str) -> None:
    """Starting up, too many connections, a lost connection, a statement or a lock that took too long, a deadlock."""
    database = Database(postgres.url("postgres"))
    with pytest.raises(Problem) as refused:
        async with database.reading() as tx:
            await tx.session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '{code}'; END $$"))
    assert (503, "unavailable") == (refused.value.status, refused.value.code)
    await database.aclose()


async def test_an_invalid_statement_is_not_an_outage(postgres: Postgres) -> None:
    """It would fail again after a retry."""
    database = Database(postgres.url("postgres"))
    with pytest.raises(DBAPIError):
        async with database.reading() as tx:
            await tx.session.execute(text("SELECT 1 / 0"))
    await database.aclose()


async def test_the_server_enforces_the_time_limits(postgres: Postgres) -> None:
    """They apply even if the client process has died."""
    database = Database(postgres.url("postgres"))
    async with database.reading() as tx:
        for setting, value in (("statement_timeout", "25s"), ("idle_in_transaction_session_timeout", "1min")):
            assert value == (await tx.session.execute(text(f"SHOW {setting}"))).scalar_one()
    await database.aclose()
