"""Hundreds of small files at once: they arrive together, in their folders, and what is wrong is said once."""

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import BrowserContext, FilePayload, expect

from tests.e2e.screen import Screen, drop, requests_of
from tests.fixtures.process import MetastoreProcess

FILES = 300
BATCHES = "/api/v1/files/upload-batch"


@pytest.fixture
def notes(drop_folder: Path) -> Path:
    """A folder with ``FILES`` small files in ten folders."""
    for number in range(FILES):
        path = drop_folder / "notes" / f"ngày {number % 10}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"note {number}")
    return drop_folder / "notes"


async def test_a_dropped_folder_of_small_files_arrives_in_few_requests(
    product: MetastoreProcess, context: BrowserContext, notes: Path
) -> None:
    """All files are there, with their folders, except one below what is a file there; it is shown with its reason."""
    (notes / "taken").mkdir()
    (notes / "taken" / "refused.txt").write_text("refused")
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    file: FilePayload = {"name": "taken", "mimeType": "text/plain", "buffer": b"a file"}
    url = f"{product.address}/api/v1/files/upload"
    assert (await context.request.post(url, multipart={"path": "/notes", "file": file})).ok
    with requests_of(screen.page, "POST") as sent:
        await drop(screen.page, [notes])
        await expect(screen.hook("upload-headline")).to_have_text("1 upload needs you")
    requests = [request.url.removeprefix(product.address) for request in sent]
    assert 2 <= requests.count(BATCHES) <= 8
    assert not [url for url in requests if url.endswith("/initiate")]

    failed = screen.hook("upload-row").first
    await expect(failed).to_have_attribute("data-status", "error")
    await expect(failed).to_contain_text("There is already something with this name here.")
    found = await _files_below(context, product.address, "/notes")
    expected = {f"/notes/ngày {number % 10}/{number}.txt": len(f"note {number}") for number in range(FILES)}
    assert found == expected | {"/notes/taken": len(b"a file")}


async def test_progress_is_announced_in_quarters_not_by_file(
    product: MetastoreProcess, context: BrowserContext, notes: Path
) -> None:
    """A screen reader says a few sentences, whatever the number of files."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.page.evaluate(
        """() => {
            window.spoken = [];
            const announcer = document.querySelector('[data-testid=upload-announcer]');
            new MutationObserver(() => window.spoken.push(announcer.textContent))
                .observe(announcer, {characterData: true, childList: true, subtree: true});
        }"""
    )
    await drop(screen.page, [notes])
    await expect(screen.hook("upload-announcer")).to_have_text("All uploads are done")
    spoken = await screen.page.evaluate("window.spoken")
    assert len(spoken) <= 8, spoken


async def _files_below(context: BrowserContext, address: str, folder: str) -> dict[str, int]:
    found: dict[str, int] = {}
    folders = [folder]
    while folders:
        query = f"path={quote(folders.pop())}&limit=200"
        listed = await (await context.request.get(f"{address}/api/v1/files?{query}")).json()
        for item in listed["items"]:
            if item["kind"] == "folder":
                folders.append(item["path"])
            else:
                found[item["path"]] = item["size"]
    return found
