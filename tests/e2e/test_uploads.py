"""Uploads in the browser: closed tabs, pausing, folders and the quota."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, expect

from tests.e2e.conftest import PART, QUOTA
from tests.e2e.screen import Screen, drop, requests_of
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually

UPLOADS = "/api/v1/files/chunked-upload"


async def test_an_upload_resumes_after_its_tab_was_closed(
    product: MetastoreProcess, context: BrowserContext, large_file: Path
) -> None:
    """Choosing the same file again sends only the missing parts."""
    # Some browsers have no file handles.
    await context.add_init_script("delete window.showOpenFilePicker")
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.limit_upload(10 * PART)
    await screen.upload(large_file)
    await screen.has_reached(large_file.name, 40)
    await screen.page.close(run_before_unload=False)
    received = await _received(context, product.address)
    assert 5 < len(received) < 30

    screen = await Screen.open(context, product.address)
    await screen.has_upload(large_file.name, "interrupted")
    with requests_of(screen.page, "PUT") as sent:
        async with screen.page.expect_file_chooser() as chooser:
            await screen.upload_row(large_file.name).get_by_test_id("upload-resume").click()
        await (await chooser.value).set_files(large_file)
        await screen.has_upload(large_file.name, "done")
    assert {_part_of(request.url) for request in sent} == set(range(1, 31)) - received
    await expect(screen.file_row(large_file.name)).to_have_attribute("data-status", "READY")


async def test_an_upload_can_be_paused_resumed_and_cancelled(
    product: MetastoreProcess, context: BrowserContext, large_file: Path
) -> None:
    """A cancelled upload disappears and releases its space."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.limit_upload(10 * PART)
    await screen.upload(large_file)
    await screen.has_reached(large_file.name, 10)
    row = screen.upload_row(large_file.name)
    await row.get_by_test_id("upload-pause").click()
    await screen.has_upload(large_file.name, "paused")
    await row.get_by_test_id("upload-resume").click()
    await screen.has_reached(large_file.name, 40)
    await row.get_by_test_id("upload-cancel").click()
    await screen.hook("upload-cancel-confirm").click()
    await expect(row).to_have_count(0)
    await expect(screen.file_row(large_file.name)).to_have_count(0)
    user = (await _json(context, f"{product.address}/api/v1/auth/me"))["user"]
    assert (user["storageUsed"], user["storageReserved"]) == (0, 0)


@pytest.fixture
def album(drop_folder: Path) -> Path:
    """A folder with files and nested folders, as in ``ALBUM``."""
    for name, content in {"cover.txt": "a", "2025/Tết/pháo hoa.txt": "bb", "2026/empty.txt": ""}.items():
        path = drop_folder / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return drop_folder / "album"


ALBUM = {"/album/cover.txt": 1, "/album/2025/Tết/pháo hoa.txt": 2, "/album/2026/empty.txt": 0}


async def test_a_chosen_folder_keeps_its_structure(
    product: MetastoreProcess, context: BrowserContext, album: Path
) -> None:
    """Every file keeps its path within the folder."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.hook("upload-folder-input").set_input_files(album)
    await eventually(lambda: _has_album(context, product.address), interval=0.2, why="all files are there")
    await screen.file_row("album").dblclick()
    await screen.file_row("2025").dblclick()
    await screen.file_row("Tết").dblclick()
    await expect(screen.file_row("pháo hoa.txt")).to_be_visible()
    await expect(screen.hook("breadcrumb")).to_contain_text("album")


async def test_a_dropped_folder_keeps_its_structure(
    product: MetastoreProcess, context: BrowserContext, album: Path
) -> None:
    """So does a file that is dropped along with it."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    loose = album.parent / "loose.txt"
    loose.write_text("loose")
    await drop(screen.page, [album, loose])
    await eventually(lambda: _has_album(context, product.address), interval=0.2, why="all files are there")
    await expect(screen.file_row("loose.txt")).to_have_attribute("data-status", "READY")


async def test_a_file_over_the_quota_is_refused_with_a_reason(
    product: MetastoreProcess, context: BrowserContext, tmp_path: Path
) -> None:
    """The upload shows that the storage is full, and no file is left."""
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(QUOTA + 1)
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.upload(huge)
    await screen.has_upload(huge.name, "error")
    await expect(screen.upload_row(huge.name)).to_contain_text(re.compile("storage is full", re.IGNORECASE))
    await expect(screen.file_row(huge.name)).to_have_count(0)


async def _received(context: BrowserContext, address: str) -> set[int]:
    """Return the part numbers of the one unfinished upload once they no longer change."""
    seen: set[int] = set()

    async def settled() -> bool:
        nonlocal seen
        (upload,) = (await _json(context, f"{address}{UPLOADS}"))["items"]
        parts = (await _json(context, f"{address}{UPLOADS}/{upload['uploadId']}"))["parts"]
        before, seen = seen, {part["partNumber"] for part in parts}
        return before == seen

    await eventually(settled, interval=0.5, why="no more parts arrive")
    return seen


def _part_of(url: str) -> int:
    found = re.search(r"[?&](?:n|partNumber)=(\d+)", url)
    assert found, url
    return int(found[1])


async def _has_album(context: BrowserContext, address: str) -> bool:
    found: dict[str, int] = {}
    folders = ["/"]
    while folders:
        listed = await context.request.get(f"{address}/api/v1/files", params={"path": folders.pop()})
        for item in (await listed.json())["items"]:
            if item["kind"] == "folder":
                folders.append(item["path"])
            elif item["status"] == "READY":
                found[item["path"]] = item["size"]
    return found.items() >= ALBUM.items()


async def _json(context: BrowserContext, url: str) -> Any:  # noqa: ANN401  JSON
    response = await context.request.get(url)
    assert response.ok, f"{response.status} {await response.text()}"
    return await response.json()
