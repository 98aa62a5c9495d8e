"""Pages of a folder: folders first, then files, in every order, by cursor."""

import base64

import orjson
import pytest
from pydantic import JsonValue
from sqlalchemy import event

from metastore.features.files.schemas import FileOut, FolderListing, FolderOut
from metastore.kit.api.paging import encode_cursor
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, items_of, names_in
from tests.fixtures.accounts import add_user

ORDERS = [(sort, order) for sort in ("name", "size", "createdAt", "updatedAt") for order in ("asc", "desc")]


async def create_nodes(tree: OwnerTree) -> None:
    """Create two folders and four files, a second apart, that sort differently by every key."""
    for name in ("Folder 10", "folder 9"):
        await tree.folder(name)
        tree.clock.forward(1)
    files = {}
    for name, size in (("b.txt", 30), ("á.txt", 10), ("C.txt", 20), ("a2.txt", 10)):
        files[name] = await tree.file(name, size=size)
        tree.clock.forward(1)
    await tree.change(files["b.txt"].id, visibility="PUBLIC")


async def read_all(tree: OwnerTree, limit: int, **query: object) -> list[str]:
    names: list[str] = []
    cursor: JsonValue = None
    while True:
        page = await tree.page(limit=limit, cursor=cursor, **query)
        assert len(names_in(page)) <= limit
        names += names_in(page)
        cursor = page["nextCursor"]
        if cursor is None:
            return names


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("name", "asc", ["folder 9", "Folder 10", "á.txt", "a2.txt", "b.txt", "C.txt"]),
        ("name", "desc", ["Folder 10", "folder 9", "C.txt", "b.txt", "a2.txt", "á.txt"]),
        ("size", "asc", ["folder 9", "Folder 10", "á.txt", "a2.txt", "C.txt", "b.txt"]),
        ("size", "desc", ["folder 9", "Folder 10", "b.txt", "C.txt", "a2.txt", "á.txt"]),
        ("createdAt", "asc", ["Folder 10", "folder 9", "b.txt", "á.txt", "C.txt", "a2.txt"]),
        ("createdAt", "desc", ["folder 9", "Folder 10", "a2.txt", "C.txt", "á.txt", "b.txt"]),
        ("updatedAt", "asc", ["Folder 10", "folder 9", "á.txt", "C.txt", "a2.txt", "b.txt"]),
        ("updatedAt", "desc", ["folder 9", "Folder 10", "b.txt", "a2.txt", "C.txt", "á.txt"]),
    ],
)
async def test_folders_come_first_in_every_order_for_every_page_size(
    tree: OwnerTree, sort: str, order: str, expected: list[str]
) -> None:
    await create_nodes(tree)
    for limit in (1, 2, 3, 6, 200):
        assert await read_all(tree, limit, sort=sort, order=order) == expected


async def test_nodes_with_equal_sort_keys_are_listed_once_each(tree: OwnerTree) -> None:
    await tree.add_rows(25, size=7, name_key="same")
    for sort, order in ORDERS:
        names = await read_all(tree, 4, sort=sort, order=order)
        assert len(names) == len(set(names)) == 25


async def test_a_listing_contains_the_folder_and_its_breadcrumb(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/b/c")
    page = FolderListing.model_validate(await tree.page(path="/b/c"))
    assert page.folder is not None
    assert (page.folder.id, page.folder.path) == (file.parent_id, "/b/c")
    assert [crumb.name for crumb in page.breadcrumb] == ["b", "c"]
    by_id = await tree.page(parentId=page.folder.id)
    assert by_id == await tree.page(path="b//c/")
    root = await tree.page()
    assert (root["folder"], root["breadcrumb"]) == (None, [])
    assert root == await tree.page(path="/")


async def test_a_list_item_equals_the_single_resource(tree: OwnerTree) -> None:
    file, uploading = await tree.file("a.txt", "/b"), await tree.begin("c.txt", "/b")
    folder = await tree.folder("d", file.parent_id)
    shown = {str(item["id"]): item for item in items_of(await tree.page(path="/b"))}
    assert FileOut.model_validate(shown[file.id]) == file
    assert shown[file.id] == file.model_dump(mode="json", by_alias=True)
    assert shown[folder.id] == folder.model_dump(mode="json", by_alias=True)
    assert shown[uploading.id] == (await tree.get(uploading.id)).model_dump(mode="json", by_alias=True)
    assert FolderOut.model_validate(shown[folder.id]) == folder


async def test_a_path_that_leads_to_no_folder_is_not_found(tree: OwnerTree) -> None:
    await tree.file("a.txt", "/b")
    for path in ["/none", "/b/none", "/b/a.txt", "/b/a.txt/c"]:
        with pytest.raises(Problem, match="404"):
            await tree.page(path=path)


async def test_another_users_nodes_are_not_listed(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/b")
    tree.owner = await add_user(tree.database)
    assert await tree.names() == []
    with pytest.raises(Problem, match="404"):
        await tree.page(path="/b")
    with pytest.raises(Problem, match="404"):
        await tree.page(parentId=file.parent_id)


async def test_an_unknown_id_is_not_found(tree: OwnerTree) -> None:
    for parent_id in ["", "..", "0", "\0", new_id()]:
        with pytest.raises(Problem, match="404"):
            await tree.page(parentId=parent_id)


async def test_changes_between_pages_skip_and_repeat_nothing(tree: OwnerTree) -> None:
    files = [await tree.file(f"{number:02}.txt") for number in range(0, 12, 2)]
    first = await tree.page(limit=3)
    assert names_in(first) == ["00.txt", "02.txt", "04.txt"]
    await tree.trash(files[1])
    await tree.trash(files[2])
    await tree.file("03.txt")
    await tree.file("07.txt")
    second = await tree.page(limit=3, cursor=first["nextCursor"])
    assert names_in(second) == ["06.txt", "07.txt", "08.txt"]


async def test_the_last_page_has_no_cursor_even_when_it_is_full(tree: OwnerTree) -> None:
    for name in ("a", "b"):
        await tree.file(name)
    assert (await tree.page(limit=2))["nextCursor"] is None
    await tree.folder("c")
    page = await tree.page(limit=1)
    assert names_in(page) == ["c"]
    assert names_in(await tree.page(limit=1, cursor=page["nextCursor"])) == ["a"]


async def test_a_cursor_of_another_order_is_invalid(tree: OwnerTree) -> None:
    await tree.add_rows(3)
    cursor = (await tree.page(limit=1))["nextCursor"]
    for sort, order in ORDERS[1:]:
        with pytest.raises(Problem, match="422 invalid-cursor"):
            await tree.page(cursor=cursor, sort=sort, order=order)


def forged(*key: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode()


FORGED = [
    ("name", "nonsense"),
    ("name", "\u2603"),
    ("name", forged("name", "asc", "file", "a")),
    ("name", forged("name", "asc", "link", "a", new_id())),
    ("name", forged("name", "asc", "file", "a\0", new_id())),
    ("name", forged("name", "asc", "file", 1, new_id())),
    ("name", forged("name", "asc", "file", None, new_id())),
    ("name", forged("name", "asc", "file", "a", "no id")),
    ("name", forged("name", "asc", "file", "a", 7)),
    ("size", forged("size", "asc", "file", "1", new_id())),
    ("size", forged("size", "asc", "file", -1, new_id())),
    ("size", forged("size", "asc", "file", 2**63, new_id())),
    ("createdAt", forged("createdAt", "asc", "file", "yesterday", new_id())),
    ("createdAt", forged("createdAt", "asc", "file", "2026-01-01T00:00:00", new_id())),
    ("createdAt", forged("createdAt", "asc", "file", "0001-01-01T00:00:00+14:00", new_id())),
    ("updatedAt", forged("updatedAt", "asc", "folder", 5, new_id())),
]


async def test_a_forged_cursor_is_invalid(tree: OwnerTree) -> None:
    for sort, cursor in FORGED:
        with pytest.raises(Problem, match="422 invalid-cursor"):
            await tree.page(cursor=cursor, sort=sort)
        with pytest.raises(Problem, match="422 invalid-cursor"):
            await tree.trash_page(cursor=cursor)


async def test_a_well_formed_forged_cursor_only_selects_another_position(tree: OwnerTree) -> None:
    await tree.add_rows(3)
    cursor = encode_cursor(["name", "asc", "file", "bulk 1", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
    assert await tree.names(cursor=cursor) == ["bulk 2"]


async def test_a_page_of_a_deep_folder_takes_at_most_three_statements(tree: OwnerTree) -> None:
    deep = await tree.file("a.txt", "/".join(["d"] * 20))
    await tree.add_rows(120, parent_id=deep.parent_id)
    statements: list[str] = []
    engine = tree.database.engine.sync_engine

    def record_statement(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", record_statement)
    try:
        page = await tree.page(path="/".join(["d"] * 20), limit=100)
        by_id = await tree.page(parentId=deep.parent_id, limit=100)
    finally:
        event.remove(engine, "before_cursor_execute", record_statement)
    assert len(items_of(page)) == len(items_of(by_id)) == 100
    assert len([statement for statement in statements if "SELECT" in statement]) <= 6
