"""Searches by the index of the keys find what comparing every name would find, on both databases."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Select, text

from metastore.features.search import search_queries
from metastore.features.search.search_queries import SearchFilter, latest_statement
from tests.features.files.owner_tree import OwnerTree
from tests.features.files.test_index_use import plan_of
from tests.features.search.indexed_tree import IndexedTree
from tests.fixtures.accounts import add_user

_CHARACTERS = "ab c.đß"


@pytest.fixture
def index(tree: OwnerTree) -> IndexedTree:
    """An empty index over an empty tree."""
    return IndexedTree(tree)


@pytest.fixture(params=[3, 5000])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """How many documents PostgreSQL reads before it uses the index: fewer than there are, or more."""
    monkeypatch.setattr(search_queries, "_WINDOW", request.param)
    search_queries._query.cache_clear()
    yield request.param
    search_queries._query.cache_clear()


def _random_name(choice: random.Random) -> str:
    return "x" + "".join(choice.choices(_CHARACTERS, k=choice.randint(1, 9)))


@pytest.mark.usefixtures("window")
async def test_every_name_that_contains_the_words_is_found(index: IndexedTree) -> None:
    """Words of any length, in any number, and page by page."""
    choice = random.Random(7)
    names = sorted({_random_name(choice).rstrip(" .") for _ in range(40)})
    for name in names:
        await index.tree.file(name)
        index.tree.clock.forward(choice.randrange(2))
    await index.catch_up()
    index.tree.owner, owner = await add_user(index.database), index.tree.owner
    await index.tree.file("xab c.d")
    await index.catch_up()
    index.tree.owner = owner
    folded = {name: name.replace("đ", "d").replace("ß", "ss") for name in names}
    for _ in range(40):
        words = [_random_name(choice)[1:] for _ in range(choice.randint(1, 2))]
        wanted = " ".join(words).replace("đ", "d").replace("ß", "ss").split()
        expected = [name for name in names if all(word in folded[name] for word in wanted)]
        assert expected == sorted(await _all_pages(index, " ".join(words))), words


async def _all_pages(index: IndexedTree, query: str) -> list[str]:
    names: list[str] = []
    cursor: object = None
    while True:
        page = await index.page(query, limit=4, cursor=cursor)
        items = page["items"]
        assert isinstance(items, list)
        names += [str(item["name"]) for item in items if isinstance(item, dict)]
        cursor = page["nextCursor"]
        if cursor is None:
            return names


@pytest.mark.usefixtures("window")
async def test_results_come_latest_first_even_if_a_file_was_changed_again(index: IndexedTree) -> None:
    files = []
    for number in range(8):
        files.append(await index.tree.file(f"note {number}"))
        index.tree.clock.forward(1)
    await index.catch_up()
    await index.tree.change(files[2].id, name="note 2b")
    await index.catch_up()
    found = [str(item["name"]) for item in await index.found("note")]
    assert found == ["note 2b", *(f"note {number}" for number in (7, 6, 5, 4, 3, 1, 0))]


async def test_a_change_that_is_rolled_back_leaves_the_index_as_it_was(index: IndexedTree) -> None:
    file = await index.tree.file("first.txt")
    await index.catch_up()
    await index.tree.change(file.id, name="second.txt")
    with pytest.raises(RuntimeError):
        await _refresh_and_fail(index, file.id)
    async with index.database.reading() as tx:
        for term, expected in (("first", [file.id]), ("second", [])):
            hits = await search_queries.latest(tx, index.tree.owner, SearchFilter([term]), 10)
            assert [hit.node_id for hit in hits] == expected


async def _refresh_and_fail(index: IndexedTree, node_id: str) -> None:
    async with index.database.transaction() as tx:
        await index.search.refresh(tx, index.tree.owner, [node_id])
        raise RuntimeError


async def test_the_index_of_the_keys_is_used(index: IndexedTree) -> None:
    """On SQLite it is read in order, so that common words are found at once."""
    for _ in range(3):
        await index.tree.file()
    await index.catch_up()
    dialect = index.database.dialect
    for criteria in (
        SearchFilter(["x"], oldest=1),
        SearchFilter(["long term"], "file", oldest=1),
    ):
        statement = latest_statement(index.tree.owner, criteria, 10, dialect)
        if dialect == "sqlite":
            plan = await plan_of(index.database, statement)
            assert "search_keys VIRTUAL TABLE INDEX" in plan
            assert "INDEX ix_search_documents_position (owner_id=? AND position=?)" in plan
            assert "TEMP B-TREE" not in plan
        else:
            assert "ix_search_documents_keys" in await _plan_with_bitmaps(index, statement)


async def _plan_with_bitmaps(index: IndexedTree, statement: Select[*tuple[Any, ...]]) -> str:
    compiled = statement.compile(dialect=index.database.engine.dialect, compile_kwargs={"literal_binds": True})
    async with index.database.reading() as tx:
        # Otherwise the planner would read a table as small as a test's from end to end.
        for setting in ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan"):
            await tx.session.execute(text(f"SET LOCAL {setting} = off"))
        rows = await tx.session.execute(text("EXPLAIN " + str(compiled).replace(":", r"\:").replace(r"\:\:", "::")))
        return "\n".join(row[0] for row in rows)
