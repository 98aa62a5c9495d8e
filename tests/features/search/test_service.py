"""What people search for is found, and only what is theirs and still there."""

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
from metastore.features.search import repository
from metastore.features.search.consumers import ONE_NODE, WHOLE_TREE
from metastore.features.search.schemas import SearchQuery, SearchResults
from metastore.features.search.service import SearchService
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove, items_of, names_in
from tests.features.files.test_index_use import plan_of
from tests.features.search.index import Index
from tests.fixtures.accounts import add_user


class Counted(SearchService):
    """Search that remembers how many nodes each transaction refreshed."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def refresh(self, tx: Transaction, owner_id: str, node_ids: Sequence[str]) -> None:
        """See ``SearchService``."""
        self.sizes.append(len(node_ids))
        await super().refresh(tx, owner_id, node_ids)


@pytest.fixture
def index(grove: Grove) -> Index:
    """An index that has heard nothing yet."""
    return Index(grove)


async def test_a_name_is_found_by_any_of_its_words_however_they_are_typed(index: Index) -> None:
    await index.grove.file("Báo cáo Đặc biệt 2026.pdf")
    await index.grove.file("Hóa đơn.txt")
    await index.catch_up()
    for query in ("báo cáo", "BAO CAO", "dac biet", "2026 báo", "ặc", "cáo đ", ".pdf"):
        assert ["Báo cáo Đặc biệt 2026.pdf"] == await index.names(query)
    assert [] == await index.names("báo hóa")
    assert ["Báo cáo Đặc biệt 2026.pdf", "Hóa đơn.txt"] == await index.names("o")


async def test_what_is_found_is_shown_as_in_its_folder_with_what_matched(index: Index) -> None:
    file = await index.grove.file("Báo cáo.pdf", "/Công việc/2026")
    await index.catch_up()
    (found,) = await index.found("cao")
    assert found.pop("highlight") == "Báo <mark>cáo</mark>.pdf"
    assert found == file.model_dump(mode="json", by_alias=True)
    assert found["path"] == "/Công việc/2026/Báo cáo.pdf"
    SearchResults.model_validate(await index.page("cao"))


@pytest.mark.parametrize("now", [{"status": "PROCESSING"}, {"status": "FAILED"}, {"damage": "half of it is gone"}])
async def test_a_file_is_found_in_the_state_that_it_is_in(index: Index, now: dict[str, str]) -> None:
    """What happens to its bytes is no business of the index, and is seen at once."""
    file = await index.grove.file("film.mp4")
    await index.catch_up()
    async with index.database.transaction() as tx:
        await tx.session.execute(update(Node).where(Node.id == file.id).values(now))
    (found,) = await index.found("film")
    assert (now.get("status", "FAILED"), "READY") == (found["status"], file.status)
    listed = items_of(await index.grove.page())
    assert found["processing"] == listed[0]["processing"] is not None


async def test_signs_that_databases_take_for_patterns_are_letters_like_others(index: Index) -> None:
    for name in ("100%.txt", "100x.txt", "a_b.txt", "axb.txt", "it's.txt", 'say "hi".txt'):
        await index.grove.file(name)
    await index.catch_up()
    assert ["100%.txt"] == await index.names("100%")
    assert ["a_b.txt"] == await index.names("a_b")
    assert ["it's.txt"] == await index.names("'")
    assert ['say "hi".txt'] == await index.names('"hi"')


async def test_a_search_can_be_narrowed_by_type(index: Index) -> None:
    await index.grove.folder("Album")
    for name in ("a.jpg", "a.mp4", "a.pdf", "a.xlsx", "a.txt"):
        await index.grove.file(name)
    await index.catch_up()
    assert ["Album"] == await index.names("a", type="folder")
    assert ["a.jpg", "a.mp4", "a.pdf", "a.txt", "a.xlsx"] == await index.names("a", type="file")
    assert ["a.jpg"] == await index.names(type="image")
    assert ["a.pdf", "a.txt", "a.xlsx"] == await index.names(type="document")
    assert ["a.jpg", "a.mp4", "a.pdf", "a.txt", "a.xlsx"] == await index.names(type="text/*")
    assert [] == await index.names(type="text/html")
    with pytest.raises(Problem, match="validation-failed"):
        await index.names(type="gossip")


async def test_a_search_can_be_narrowed_by_time(index: Index) -> None:
    start = index.grove.clock()
    await index.grove.file("old.txt")
    index.grove.clock.forward(86400 * 3)
    await index.grove.file("new.txt")
    await index.catch_up()
    later = start + timedelta(days=1)
    assert ["new.txt"] == await index.names(since=later)
    assert ["old.txt"] == await index.names(until=later)
    assert ["old.txt"] == await index.names(until=start.date())
    assert ["new.txt"] == await index.names("new", since=start.date(), until=(start + timedelta(days=3)).date())


async def test_what_is_changed_is_found_as_it_is_now(index: Index) -> None:
    """Renamed, moved, put away, taken back, purged: after each, and after the index heard of it, the same is found."""
    grove = index.grove
    folder = await grove.folder("Ảnh")
    file = await grove.file("biển.jpg", "/Ảnh/hè")
    await index.catch_up()
    await grove.change(file.id, name="núi.jpg")
    assert [] == await index.names("nui")
    await index.catch_up()
    assert (["núi.jpg"], []) == (await index.names("nui"), await index.names("bien"))

    await grove.trash(folder)
    assert [] == await index.names("nui"), "what lies in the trash is not shown, whether the index knows or not"
    await index.catch_up()
    assert set() == await index.documents()

    await grove.restore(folder.id)
    await index.catch_up()
    assert ["hè", "núi.jpg", "Ảnh"] == await index.names()

    await grove.trash(folder)
    await grove.purge()
    await index.catch_up()
    assert (set(), []) == (await index.documents(), await index.names())


async def test_a_moved_folder_is_looked_up_with_all_that_lies_below_it(index: Index) -> None:
    """Whatever the index had missed of it."""
    grove = index.grove
    box, shelf = await grove.folder("box"), await grove.folder("shelf")
    await grove.file("deep.txt", "/box/inner")
    await index.catch_up()
    await index.lose_everything()
    await grove.change_folder(box.id, parentId=shelf.id)
    await index.catch_up()
    assert ["box", "deep.txt", "inner"] == await index.names()
    assert ["/shelf/box/inner/deep.txt"] == [item["path"] for item in await index.found("deep")]


async def test_the_owner_learns_that_a_search_can_return_something_new(index: Index) -> None:
    """The socket event follows the commit, once for each change, be it of one item or of a whole folder."""
    grove = index.grove
    box, other = await grove.folder("box"), await grove.folder("other")
    await grove.file("deep.txt", "/box")
    await index.catch_up()
    assert {(grove.owner, "search.indexed")} == {(user, event) for user, event, _ in index.radio.sent}
    index.radio.sent.clear()
    await grove.change_folder(box.id, parentId=other.id)
    await index.catch_up()
    assert [(grove.owner, "search.indexed", {})] == index.radio.sent


async def test_a_folder_is_indexed_though_its_owner_cannot_be_notified(index: Index) -> None:
    grove = index.grove
    box, other = await grove.folder("box"), await grove.folder("other")
    await index.catch_up()
    index.radio.broken = True
    await grove.change_folder(box.id, parentId=other.id)
    await index.catch_up()
    assert ["/other/box"] == [item["path"] for item in await index.found("box")]


async def test_a_great_folder_is_indexed_in_short_transactions(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """None has more to write than is given to one, and nothing is left out between them."""
    monkeypatch.setattr(search_consumers, "AT_ONCE", 3)
    grove = index.grove
    folder = await grove.folder("great")
    names = {str((await grove.file(f"{n}.txt", f"/great/{n % 2}")).name) for n in range(7)} | {"great", "0", "1"}
    await index.catch_up()
    index.search = told = Counted()
    await grove.trash(folder)
    await index.catch_up()
    assert set() == await index.documents()
    await grove.restore(folder.id)
    await index.catch_up()
    assert names == set(await index.names())
    assert [3, 3, 3, 1] * 2 == told.sizes


async def test_a_file_is_found_once_all_of_it_has_arrived(index: Index) -> None:
    node = await index.grove.begin("half.txt")
    await index.catch_up()
    assert [] == await index.names("half")
    await index.grove.finish(node)
    await index.catch_up()
    assert ["half.txt"] == await index.names("half")


async def test_nobody_finds_what_belongs_to_others(index: Index) -> None:
    await index.grove.file("secret.txt")
    await index.catch_up()
    index.grove.owner = await add_user(index.database)
    assert [] == await index.names("secret")
    assert [] == await index.names()


async def _live_a_little(grove: Grove) -> None:
    """A history in which much is undone later."""
    folder = await grove.folder("A")
    inner = await grove.folder("B", folder.id)
    files = [await grove.file(f"{n}.txt", "/A/B") for n in range(5)]
    await grove.change(files[0].id, name="first.txt")
    await grove.change(files[0].id, name="again.txt")
    await grove.change(files[1].id, parentId=None)
    await grove.trash(inner)
    await grove.restore(inner.id)
    await grove.trash(files[2])
    await grove.purge(files[2].id)
    await grove.trash(files[3])
    await grove.change_folder(folder.id, name="Z")
    await grove.file("late.txt", "/Z")


async def test_events_in_any_order_and_told_again_make_the_same_index(index: Index) -> None:
    """An older fact that comes after a newer one changes nothing, nor does any of them the second time."""
    await _live_a_little(index.grove)
    await index.catch_up()
    before = await index.documents()
    assert ["1.txt", "4.txt", "B", "Z", "again.txt", "late.txt"] == await index.names()
    for seed in range(3):
        await index.hear_all_again(seed)
        assert before == await index.documents()


async def test_events_handled_at_the_same_time_make_the_same_index(index: Index) -> None:
    """Several workers with the facts of one owner leave what one worker leaves."""
    await _live_a_little(index.grove)
    events = await index.events()
    await asyncio.gather(*(index.hear(reversed(events), anew=True) for _ in range(4)))
    left = await index.documents()
    await index.catch_up()
    assert left == await index.documents()


def test_every_fact_that_changes_a_list_is_listened_to() -> None:
    """A new fact of files and folders must be placed here or told apart."""
    facts = {value.event_type for value in vars(events).values() if hasattr(value, "event_type")}
    told_apart = {"file.downloaded", "file.damaged", "file.recovered", "file.failed"}
    assert facts - told_apart <= {fact.event_type for fact in ONE_NODE + WHOLE_TREE}


async def test_pages_follow_each_other_without_gap_or_repetition(index: Index) -> None:
    for n in range(7):
        await index.grove.file(f"note {n}.txt")
        index.grove.clock.forward(n % 2)
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


async def test_a_page_is_full_though_the_index_is_behind(index: Index) -> None:
    files = [await index.grove.file(f"{n}.txt") for n in range(6)]
    await index.catch_up()
    for file in files[3:]:
        await index.grove.trash(file)
    page = await index.page("txt", limit=3)
    assert 3 == len(items_of(page))
    assert page["nextCursor"] is None


@pytest.mark.parametrize("cursor", ["rubbish", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwgIngiXQ"])
async def test_a_cursor_of_something_else_is_refused(index: Index, cursor: str) -> None:
    with pytest.raises(Problem, match="invalid-cursor"):
        await index.page(cursor=cursor)


@pytest.mark.parametrize("wrong", [{"q": "\0"}, {"q": "x" * 201}, {"limit": 0}, {"from": "yesterday"}])
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SearchQuery.model_validate(wrong)


async def test_an_owners_documents_are_one_range_of_the_index(index: Index) -> None:
    """Latest first without sorting, the text looked through within the index."""
    for _ in range(3):
        await index.grove.file()
    await index.catch_up()
    plan = await plan_of(index.database, repository.latest_statement("owner", repository.Wanted(["x"]), None, 10))
    assert "ix_search_documents_latest" in plan
    assert not re.search("Sort|TEMP B-TREE", plan)
