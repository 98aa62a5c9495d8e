"""The search service: results are complete, current and limited to the owner."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from metastore.features.files import events
from metastore.features.files.models import Node
from metastore.features.search import consumers as search_consumers
from metastore.features.search import search_queries
from metastore.features.search.consumers import NODE_EVENTS, SUBTREE_EVENTS
from metastore.features.search.schemas import SearchQuery, SearchResults
from metastore.features.search.service import SearchService
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, items_of, names_in
from tests.features.files.test_index_use import plan_of
from tests.features.search.indexed_tree import IndexedTree
from tests.fixtures.accounts import add_user


class CountingSearchService(SearchService):
    """A search service that records how many nodes each transaction refreshed."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def refresh(self, tx: Transaction, owner_id: str, node_ids: Sequence[str]) -> None:
        """See ``SearchService``."""
        self.sizes.append(len(node_ids))
        await super().refresh(tx, owner_id, node_ids)


@pytest.fixture
def index(tree: OwnerTree) -> IndexedTree:
    """An empty index over an empty tree."""
    return IndexedTree(tree)


async def test_a_name_is_found_by_any_of_its_words_regardless_of_case_and_accents(index: IndexedTree) -> None:
    await index.tree.file("Báo cáo Đặc biệt 2026.pdf")
    await index.tree.file("Hóa đơn.txt")
    await index.catch_up()
    for query in ("báo cáo", "BAO CAO", "dac biet", "2026 báo", "ặc", "cáo đ", ".pdf"):
        assert ["Báo cáo Đặc biệt 2026.pdf"] == await index.names(query)
    assert [] == await index.names("báo hóa")
    assert ["Báo cáo Đặc biệt 2026.pdf", "Hóa đơn.txt"] == await index.names("o")


async def test_a_result_equals_the_list_item_with_a_highlight(index: IndexedTree) -> None:
    file = await index.tree.file("Báo cáo.pdf", "/Công việc/2026")
    await index.catch_up()
    (found,) = await index.found("cao")
    assert found.pop("highlight") == "Báo <mark>cáo</mark>.pdf"
    assert found == file.model_dump(mode="json", by_alias=True)
    assert found["path"] == "/Công việc/2026/Báo cáo.pdf"
    SearchResults.model_validate(await index.page("cao"))


@pytest.mark.parametrize("now", [{"status": "PROCESSING"}, {"status": "FAILED"}, {"damage": "half of it is gone"}])
async def test_a_result_shows_the_current_status(index: IndexedTree, now: dict[str, str]) -> None:
    """The status is not stored in the index."""
    file = await index.tree.file("film.mp4")
    await index.catch_up()
    async with index.database.transaction() as tx:
        await tx.session.execute(update(Node).where(Node.id == file.id).values(now))
    (found,) = await index.found("film")
    assert (now.get("status", "FAILED"), "READY") == (found["status"], file.status)
    listed = items_of(await index.tree.page())
    assert found["processing"] == listed[0]["processing"] is not None


async def test_sql_wildcards_are_ordinary_characters(index: IndexedTree) -> None:
    for name in ("100%.txt", "100x.txt", "a_b.txt", "axb.txt", "it's.txt", 'say "hi".txt'):
        await index.tree.file(name)
    await index.catch_up()
    assert ["100%.txt"] == await index.names("100%")
    assert ["a_b.txt"] == await index.names("a_b")
    assert ["it's.txt"] == await index.names("'")
    assert ['say "hi".txt'] == await index.names('"hi"')


async def test_results_can_be_limited_by_type(index: IndexedTree) -> None:
    await index.tree.folder("Album")
    for name in ("a.jpg", "a.mp4", "a.pdf", "a.xlsx", "a.txt"):
        await index.tree.file(name)
    await index.catch_up()
    assert ["Album"] == await index.names("a", type="folder")
    assert ["a.jpg", "a.mp4", "a.pdf", "a.txt", "a.xlsx"] == await index.names("a", type="file")
    assert ["a.jpg"] == await index.names(type="image")
    assert ["a.pdf", "a.txt", "a.xlsx"] == await index.names(type="document")
    assert ["a.jpg", "a.mp4", "a.pdf", "a.txt", "a.xlsx"] == await index.names(type="text/*")
    assert [] == await index.names(type="text/html")
    with pytest.raises(Problem, match="validation-failed"):
        await index.names(type="gossip")


async def test_results_can_be_limited_by_time(index: IndexedTree) -> None:
    start = index.tree.clock()
    await index.tree.file("old.txt")
    index.tree.clock.forward(86400 * 3)
    await index.tree.file("new.txt")
    await index.catch_up()
    later = start + timedelta(days=1)
    assert ["new.txt"] == await index.names(since=later)
    assert ["old.txt"] == await index.names(until=later)
    assert ["old.txt"] == await index.names(until=start.date())
    assert ["new.txt"] == await index.names("new", since=start.date(), until=(start + timedelta(days=3)).date())


async def test_results_show_the_current_state(index: IndexedTree) -> None:
    """After renaming, moving, trashing, restoring and purging, before and after the index is updated."""
    tree = index.tree
    folder = await tree.folder("Ảnh")
    file = await tree.file("biển.jpg", "/Ảnh/hè")
    await index.catch_up()
    await tree.change(file.id, name="núi.jpg")
    assert [] == await index.names("nui")
    await index.catch_up()
    assert (["núi.jpg"], []) == (await index.names("nui"), await index.names("bien"))

    await tree.trash(folder)
    assert [] == await index.names("nui"), "trashed files are not found, even before the index is updated"
    await index.catch_up()
    assert set() == await index.documents()

    await tree.restore(folder.id)
    await index.catch_up()
    assert ["hè", "núi.jpg", "Ảnh"] == await index.names()

    await tree.trash(folder)
    await tree.purge()
    await index.catch_up()
    assert (set(), []) == (await index.documents(), await index.names())


async def test_moving_a_folder_refreshes_everything_below_it(index: IndexedTree) -> None:
    """This also adds documents that the index had missed."""
    tree = index.tree
    box, target = await tree.folder("box"), await tree.folder("target")
    await tree.file("deep.txt", "/box/inner")
    await index.catch_up()
    await index.clear()
    await tree.change_folder(box.id, parentId=target.id)
    await index.catch_up()
    assert ["box", "deep.txt", "inner"] == await index.names()
    assert ["/target/box/inner/deep.txt"] == [item["path"] for item in await index.found("deep")]


async def test_the_owner_is_notified_when_the_index_has_changed(index: IndexedTree) -> None:
    """``search.indexed`` is sent after the commit, once per change, whether of one file or of a whole folder."""
    tree = index.tree
    box, other = await tree.folder("box"), await tree.folder("other")
    await tree.file("deep.txt", "/box")
    await index.catch_up()
    assert {(tree.owner, "search.indexed")} == {(user, event) for user, event, _ in index.realtime.sent}
    index.realtime.sent.clear()
    await tree.change_folder(box.id, parentId=other.id)
    await index.catch_up()
    assert [(tree.owner, "search.indexed", {})] == index.realtime.sent


async def test_a_folder_is_indexed_even_if_its_owner_cannot_be_notified(index: IndexedTree) -> None:
    tree = index.tree
    box, other = await tree.folder("box"), await tree.folder("other")
    await index.catch_up()
    index.realtime.broken = True
    await tree.change_folder(box.id, parentId=other.id)
    await index.catch_up()
    assert ["/other/box"] == [item["path"] for item in await index.found("box")]


async def test_a_large_folder_is_refreshed_in_batches(index: IndexedTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction exceeds the batch size, and no node is left out."""
    monkeypatch.setattr(search_consumers, "BATCH_SIZE", 3)
    tree = index.tree
    folder = await tree.folder("great")
    names = {str((await tree.file(f"{n}.txt", f"/great/{n % 2}")).name) for n in range(7)} | {"great", "0", "1"}
    await index.catch_up()
    index.search = counting = CountingSearchService()
    await tree.trash(folder)
    await index.catch_up()
    assert set() == await index.documents()
    await tree.restore(folder.id)
    await index.catch_up()
    assert names == set(await index.names())
    assert [3, 3, 3, 1] * 2 == counting.sizes


async def test_a_file_is_found_once_it_is_uploaded_completely(index: IndexedTree) -> None:
    node = await index.tree.begin("half.txt")
    await index.catch_up()
    assert [] == await index.names("half")
    await index.tree.finish(node)
    await index.catch_up()
    assert ["half.txt"] == await index.names("half")


async def test_results_are_limited_to_the_owner(index: IndexedTree) -> None:
    await index.tree.file("secret.txt")
    await index.catch_up()
    index.tree.owner = await add_user(index.database)
    assert [] == await index.names("secret")
    assert [] == await index.names()


async def _make_many_changes(tree: OwnerTree) -> None:
    """Make many changes, some of which are undone later."""
    folder = await tree.folder("A")
    inner = await tree.folder("B", folder.id)
    files = [await tree.file(f"{n}.txt", "/A/B") for n in range(5)]
    await tree.change(files[0].id, name="first.txt")
    await tree.change(files[0].id, name="again.txt")
    await tree.change(files[1].id, parentId=None)
    await tree.trash(inner)
    await tree.restore(inner.id)
    await tree.trash(files[2])
    await tree.purge(files[2].id)
    await tree.trash(files[3])
    await tree.change_folder(folder.id, name="Z")
    await tree.file("late.txt", "/Z")


async def test_redelivered_and_reordered_events_produce_the_same_index(index: IndexedTree) -> None:
    """An older event handled after a newer one changes nothing, nor does a redelivery."""
    await _make_many_changes(index.tree)
    await index.catch_up()
    before = await index.documents()
    assert ["1.txt", "4.txt", "B", "Z", "again.txt", "late.txt"] == await index.names()
    for seed in range(3):
        await index.handle_all_again(seed)
        assert before == await index.documents()


async def test_concurrently_handled_events_produce_the_same_index(index: IndexedTree) -> None:
    """Several workers leave the same documents as one."""
    await _make_many_changes(index.tree)
    events = await index.events()
    await asyncio.gather(*(index.handle(reversed(events), new_ids=True) for _ in range(4)))
    left = await index.documents()
    await index.catch_up()
    assert left == await index.documents()


def test_every_event_that_changes_a_list_is_consumed() -> None:
    """A new event of files and folders must be consumed or listed here as irrelevant."""
    published = {value.event_type for value in vars(events).values() if hasattr(value, "event_type")}
    irrelevant = {"file.downloaded", "file.damaged", "file.recovered", "file.failed"}
    assert published - irrelevant <= {event.event_type for event in NODE_EVENTS + SUBTREE_EVENTS}


async def test_pages_follow_each_other_without_gap_or_repetition(index: IndexedTree) -> None:
    for n in range(7):
        await index.tree.file(f"note {n}.txt")
        index.tree.clock.forward(n % 2)
    await index.catch_up()
    shown: list[str] = []
    cursor = None
    while True:
        page = await index.page("note", limit=2, cursor=cursor)
        shown += names_in(page)
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert 7 == len(shown)
    assert [f"note {n}.txt" for n in range(7)] == sorted(shown)
    assert shown[-1] in ("note 0.txt", "note 1.txt")


async def test_a_page_is_full_even_if_the_index_is_outdated(index: IndexedTree) -> None:
    files = [await index.tree.file(f"{n}.txt") for n in range(6)]
    await index.catch_up()
    for file in files[3:]:
        await index.tree.trash(file)
    page = await index.page("txt", limit=3)
    assert 3 == len(items_of(page))
    assert page["nextCursor"] is None


@pytest.mark.parametrize("cursor", ["rubbish", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwgIngiXQ"])
async def test_a_forged_cursor_is_rejected(index: IndexedTree, cursor: str) -> None:
    with pytest.raises(Problem, match="invalid-cursor"):
        await index.page(cursor=cursor)


@pytest.mark.parametrize("wrong", [{"q": "\0"}, {"q": "x" * 201}, {"limit": 0}, {"from": "yesterday"}])
def test_invalid_queries_are_rejected(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SearchQuery.model_validate(wrong)


async def test_an_owners_documents_are_read_as_one_range_of_an_index(index: IndexedTree) -> None:
    """They are read latest first without sorting, and the text is searched within the index."""
    for _ in range(3):
        await index.tree.file()
    await index.catch_up()
    statement = search_queries.latest_statement("owner", search_queries.SearchFilter(), 10, index.database.dialect)
    plan = await plan_of(index.database, statement)
    assert "ix_search_documents_position" in plan
    assert not re.search("Sort|TEMP B-TREE", plan)
