"""Everything below a folder is read in pages, each by one range or a few of an index."""

from typing import Any

import pytest
from sqlalchemy import text

from metastore.features.files.listing import subtree
from metastore.features.files.listing.subtree import FilePages, begin_snapshot, folders_below, read_page
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from tests.features.files.owner_tree import OwnerTree


async def pages_of(tree: OwnerTree, folder_ids: list[str]) -> list[list[str]]:
    """Return the names of the files, page by page; each page is read again with the same result."""
    names = []
    async with tree.database.reading() as tx, tree.database.reading() as other:
        await begin_snapshot(tx)
        pages = FilePages(tree.owner, folder_ids)
        while page := await pages.read_next(tx):
            assert await read_page(other, tree.owner, page[0]) == page[1]
            names.append([file.name for file in page[1]])
    return names


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of up to ten files, and of up to four folders."""
    monkeypatch.setattr(subtree, "PAGE_ROWS", 10)
    monkeypatch.setattr(subtree, "_MOST_FOLDERS", 4)


async def test_all_folders_below_are_found(tree: OwnerTree) -> None:
    top = await tree.folder("top")
    inner = await tree.folder("inner", top.id)
    deep = await tree.folder("deep", inner.id)
    trashed = await tree.folder("trashed", top.id)
    await tree.folder("in the trash", trashed.id)
    await tree.trash(trashed)
    await tree.folder("beside")
    async with tree.database.reading() as tx:
        found = await folders_below(tx, tree.owner, [top.id], limit=3)
        assert await folders_below(tx, tree.owner, [top.id], limit=2) is None
        assert await folders_below(tx, tree.owner, [], limit=2) == []
    assert found is not None
    assert {folder.id for folder in found} == {top.id, inner.id, deep.id}


@pytest.mark.usefixtures("small_pages")
async def test_files_come_folder_by_folder_sorted_by_name(tree: OwnerTree) -> None:
    first, empty, second = [await tree.folder(name) for name in ("first", "empty", "second")]
    for folder, names in ((second, "ca"), (first, "Zbé")):
        for name in names:
            await tree.file(name, path=f"/{folder.name}")
    assert await pages_of(tree, [first.id, empty.id, second.id]) == [["Z", "b", "é", "a", "c"]]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("counts", [[0], [10], [11], [25, 0, 3], [3, 25, 3], [6, 6, 6, 6, 6], [0] * 9 + [12], [20, 20]])
async def test_no_file_is_left_out_or_read_twice(tree: OwnerTree, counts: list[int]) -> None:
    folders, expected = [], []
    for number, count in enumerate(counts):
        folder = await tree.folder(f"folder {number}")
        folders.append(folder.id)
        for each in range(count):
            await tree.file(f"{number}-{each:02}", path=f"/{folder.name}", size=0)
            expected.append(f"{number}-{each:02}")
    found = await pages_of(tree, folders)
    assert [name for page in found for name in page] == expected
    assert max(map(len, found)) <= 10


async def test_statements_search_an_index(tree: OwnerTree) -> None:
    await tree.add_rows(200)
    queries: list[tuple[Any, dict[str, object], str]] = [
        (subtree._FILES, {"owner": tree.owner, "ids": [new_id()], "after": "", "limit": 9}, "uq_nodes_name"),
        (subtree._FOLDERS, {"owner": tree.owner, "ids": [new_id()], "limit": 9}, "ix_nodes_by_"),
    ]
    for query, parameters, index in queries:
        plan = await _plan_of(tree.database, query, parameters)
        assert f"{index}" in plan, plan
        assert "(owner_id=?)" not in plan, plan
        assert "Seq Scan" not in plan, plan


async def _plan_of(database: Database, query: Any, parameters: dict[str, object]) -> str:  # noqa: ANN401  any row
    statement = query.statement(database.dialect)
    explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
    async with database.reading() as tx:
        connection = await tx.session.connection()
        if database.dialect != "sqlite":
            for setting in ("enable_seqscan = off", "enable_bitmapscan = off", "random_page_cost = 1"):
                await tx.session.execute(text(f"SET LOCAL {setting}"))
        compiled = statement.compile(dialect=database.engine.dialect, compile_kwargs={"render_postcompile": True})
        positions = compiled.positiontup
        binds = {**{name: bind.value for name, bind in compiled.binds.items() if not bind.required}, **parameters}
        arguments = [_bound(compiled, name, binds[name]) for name in positions]
        rows = await connection.exec_driver_sql(explain + str(compiled), tuple(arguments))
        return "\n".join(str(row[-1]) for row in rows)


def _bound(compiled: Any, name: str, value: object) -> object:  # noqa: ANN401  SQLAlchemy's compiled statement
    process = compiled.binds[name].type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
    return process(value) if process else value
