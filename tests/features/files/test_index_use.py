"""Index use on both databases: every list reads one range of one index, without sorting or filtering."""

import re
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Select, text

from metastore.features.files.listing.page_queries import Position, folder_statement, trash_statement
from metastore.features.files.tree.trash_queries import expired_roots
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from tests.features.files.owner_tree import OwnerTree
from tests.fixtures.accounts import add_user

INDEXES = {
    "name": "ix_nodes_by_name",
    "size": "ix_nodes_by_size",
    "createdAt": "ix_nodes_by_created_at",
    "updatedAt": "ix_nodes_by_updated_at",
}


async def plan_of(database: Database, statement: Select[*tuple[Any, ...]]) -> str:
    """Return the execution plan of the statement."""
    sql = str(statement.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True}))
    async with database.reading() as tx:
        if database.dialect == "sqlite":
            rows = await tx.session.execute(text("EXPLAIN QUERY PLAN " + _escaped(sql)))
            return "\n".join(row[3] for row in rows)
        await tx.session.execute(text("ANALYZE nodes"))
        # Otherwise the planner would read a table as small as a test's from end to end.
        for setting in ("enable_seqscan = off", "enable_bitmapscan = off", "random_page_cost = 1"):
            await tx.session.execute(text(f"SET LOCAL {setting}"))
        rows = await tx.session.execute(text("EXPLAIN " + _escaped(sql)))
        return "\n".join(row[0] for row in rows)


def _escaped(sql: str) -> str:
    return re.sub(r"(?<!:):(?!:)", r"\\:", sql)


def assert_one_range(plan: str, index: str, *, resumed: bool) -> None:
    if "SEARCH" in plan:
        assert f"USING INDEX {index} " in plan
        assert "TEMP B-TREE" not in plan
        assert plan.count("\n") == 0
        assert not resumed or re.search(r"\(\w+,id\)[<>]\(\?,\?\)", plan)
    else:
        assert re.search(rf"Index Scan (Backward )?using {index} ", plan)
        assert "Sort" not in plan
        assert "Filter" not in plan
        assert not resumed or re.search(r"Index Cond: .*ROW\(\(?\w+\)?(::text)?, \(?id", plan)


async def test_a_folder_is_read_as_one_range_in_every_order(tree: OwnerTree) -> None:
    await tree.add_rows(200)
    now = tree.clock()
    positions: dict[str, Position] = {
        "name": ("bulk", new_id()),
        "size": (5, new_id()),
        "createdAt": (now, new_id()),
        "updatedAt": (now, new_id()),
    }
    for (sort, index), descending, resumed, folder_id in product(
        INDEXES.items(), (False, True), (False, True), ("", new_id())
    ):
        key, node_id = positions[sort]
        values = {"owner": tree.owner, "folder": folder_id, "kind": "file", "limit": 50}
        statement = folder_statement(sort, descending=descending, resumed=resumed)
        plan = await plan_of(
            tree.database, statement.params(**values, **({"key": key, "id": node_id} if resumed else {}))
        )
        assert_one_range(plan, index, resumed=resumed)


@pytest.mark.parametrize("resumed", [False, True])
async def test_the_trash_is_read_as_one_range(tree: OwnerTree, resumed: bool) -> None:
    me = tree.owner
    for owner in [*[await add_user(tree.database) for _ in range(9)], me]:
        tree.owner = owner
        await tree.add_rows(30, trashed=True)
    values = {"owner": me, "limit": 50, **({"key": tree.clock(), "id": new_id()} if resumed else {})}
    plan = await plan_of(tree.database, trash_statement(resumed=resumed).params(**values))
    assert_one_range(plan, "ix_nodes_trash", resumed=resumed)


async def test_expired_trash_is_found_by_an_index(tree: OwnerTree) -> None:
    for _ in range(10):
        await tree.add_rows(20, trashed=True)
        tree.clock.forward(1)
    await tree.add_rows(50)
    plan = await plan_of(tree.database, expired_roots(tree.clock(), 10))
    assert "ix_nodes_trash_age" in plan
    assert not re.search("Sort|TEMP B-TREE", plan)
