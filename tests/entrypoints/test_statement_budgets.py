"""Every hot route has a budget of SQL statements and transactions, the same on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from metastore import bootstrap
from metastore.config import load_settings
from metastore.entrypoints.serve import build_asgi
from tests.fixtures.product import Client, Running
from tests.fixtures.statement_counter import Cost, StatementCounter, counting_statements


@dataclass
class CountedDrive:
    """A signed-in user of a product without background jobs, whose requests are all that reaches the database."""

    client: Client
    counter: StatementCounter

    async def cost_of(self, method: str, url: str, status: int = 200, **options: Any) -> Cost:  # noqa: ANN401  JSON
        """Send a request, assert ``status`` and return what it cost."""
        await _notified()
        self.counter.clear()
        response = await self.client.request(method, url, **options)
        await _notified()
        cost = self.counter.cost
        print(f"{method} {url}: {cost}", *self.counter.executed, sep="\n  ")  # noqa: T201  shown if the test fails
        assert response.status_code == status, response.text[:500]
        return cost

    async def upload(self, name: str, **form: str) -> str:
        """Upload a small file and return its ID."""
        files = {"file": (name, b"hello", "text/plain")}
        body = await self.client.json_of("POST", "/api/v1/files/upload", 201, files=files, data={"path": "/", **form})
        return str(body["file"]["id"])


@pytest.fixture
async def drive(tmp_path: Path, database_url: str) -> AsyncIterator[CountedDrive]:
    """A new user's drive, on SQLite and on PostgreSQL."""
    settings = load_settings(data_dir=tmp_path / "data", secret_key="k" * 40, database_url=database_url)
    with counting_statements() as counter:
        product = await bootstrap.build(settings)
        try:
            running = Running(product, httpx.ASGITransport(build_asgi(product), raise_app_exceptions=False))
            yield CountedDrive(await running.signed_in(), counter)
        finally:
            await product.aclose()


async def _notified() -> None:
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("notify ")))


async def test_reading_the_signed_in_user_keeps_its_budget(drive: CountedDrive) -> None:
    cost = await drive.cost_of("GET", "/api/v1/auth/me")

    assert cost.statements <= 1
    assert cost.transactions == 0


async def test_reading_a_file_keeps_its_budget(drive: CountedDrive) -> None:
    file_id = await drive.upload("a.txt", path="/one/two")

    cost = await drive.cost_of("GET", f"/api/v1/files/{file_id}")

    assert cost.statements <= 2
    assert cost.transactions == 0


async def test_listing_a_folder_keeps_its_budget(drive: CountedDrive) -> None:
    for number in range(3):
        await drive.upload(f"{number}.txt", path="/one/two")

    cost = await drive.cost_of("GET", "/api/v1/files", params={"path": "/one/two", "limit": 100})

    assert cost.statements <= 3
    assert cost.transactions == 0


async def test_a_download_keeps_its_budget_with_its_event(drive: CountedDrive) -> None:
    file_id = await drive.upload("a.txt")

    cost = await drive.cost_of("GET", f"/api/v1/files/{file_id}/download", 302)

    assert cost.statements <= 3
    assert cost.events == 1
    assert cost.transactions == 1


async def test_an_archive_keeps_its_budget_however_many_files_it_has(drive: CountedDrive) -> None:
    """Its folders are read by one statement and its files by one a page; nothing is read a file at a time."""
    for number in range(30):
        await drive.upload(f"{number}.txt", path=f"/top/folder {number % 7}")
    listing = await drive.client.json_of("GET", "/api/v1/files")
    made = await drive.client.json_of("POST", "/api/v1/archives", 201, json={"ids": [listing["items"][0]["id"]]})

    cost = await drive.cost_of("POST", "/api/v1/archives", 201, json={"ids": [listing["items"][0]["id"]]})
    assert cost.without_events <= 5
    assert cost.events == 1
    cost = await drive.cost_of("GET", made["url"])
    assert cost.statements <= 4


async def test_a_search_keeps_its_budget(drive: CountedDrive) -> None:
    await drive.upload("a.txt", path="/one/two")

    cost = await drive.cost_of("GET", "/api/v1/search", params={"q": "a"})

    assert cost.statements <= 3
    assert cost.transactions == 0


async def test_listing_notifications_keeps_its_budget(drive: CountedDrive) -> None:
    cost = await drive.cost_of("GET", "/api/v1/notifications")

    assert cost.statements <= 3
    assert cost.transactions == 0


async def test_listing_the_trash_keeps_its_budget(drive: CountedDrive) -> None:
    file_id = await drive.upload("a.txt", path="/one/two")
    await drive.cost_of("DELETE", f"/api/v1/files/{file_id}", 204)

    cost = await drive.cost_of("GET", "/api/v1/trash")

    assert cost.statements <= 3
    assert cost.transactions == 0


async def test_listing_the_sessions_keeps_its_budget(drive: CountedDrive) -> None:
    cost = await drive.cost_of("GET", "/api/v1/auth/sessions")

    assert cost.statements <= 2
    assert cost.transactions == 0


async def test_a_small_upload_keeps_its_budget(drive: CountedDrive) -> None:
    await drive.upload("first.txt", path="/one/two")  # reserves the object keys of the next thousand

    files = {"file": ("a.txt", b"hello", "text/plain")}
    cost = await drive.cost_of("POST", "/api/v1/files/upload", 201, files=files, data={"path": "/one/two"})

    assert cost.without_events <= 5
    assert cost.transactions <= 1


async def test_a_small_upload_that_needs_processing_keeps_its_budget(drive: CountedDrive) -> None:
    await drive.upload("first.txt")

    files = {"file": ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 and so on", "image/jpeg")}
    cost = await drive.cost_of("POST", "/api/v1/files/upload", 201, files=files, data={"path": "/"})

    assert cost.without_events <= 8
    assert cost.transactions <= 1


async def test_a_batch_takes_no_more_kinds_of_statements_than_a_file(drive: CountedDrive) -> None:
    """Whatever its number of files; several rows may be inserted by one statement each, without a round trip each."""
    await drive.upload("first.txt")

    files = [("file", (f"{number % 3}/{number}.txt", b"hello")) for number in range(50)]
    cost = await drive.cost_of("POST", "/api/v1/files/upload-batch", files=files, data={"path": "/"})

    inserted = [each for each in drive.counter.executed if each.startswith("INSERT INTO nodes")]
    assert cost.without_events - len(inserted) <= 8
    assert cost.transactions <= 1


async def test_initiating_an_upload_keeps_its_budget(drive: CountedDrive) -> None:
    await drive.upload("first.txt", path="/one/two")

    body = {"name": "a.bin", "path": "/one/two", "size": 5}
    cost = await drive.cost_of("POST", "/api/v1/files/chunked-upload/initiate", 201, json=body)

    assert cost.without_events <= 7
    assert cost.transactions <= 1


async def test_completing_an_upload_keeps_its_budget(drive: CountedDrive) -> None:
    """In two transactions: the saga has to know of the completion while the store works, outside of any."""
    await drive.upload("first.txt", path="/one/two")
    body = {"name": "a.bin", "path": "/one/two", "size": 5}
    upload = await drive.client.json_of("POST", "/api/v1/files/chunked-upload/initiate", 201, json=body)
    etag = (await drive.client.put(upload["uploadUrls"][0], content=b"hello")).headers["etag"]

    parts = [{"partNumber": 1, "etag": etag}]
    completion = {"fileId": upload["fileId"], "uploadId": upload["uploadId"], "parts": parts}
    cost = await drive.cost_of("POST", "/api/v1/files/chunked-upload/complete", json=completion)

    assert cost.without_events <= 10
    assert cost.transactions <= 2


async def test_visiting_a_share_link_keeps_its_budget(drive: CountedDrive) -> None:
    """Lists and downloads, with the check of the grant and of the link's rights five folders deep."""
    file_id = await drive.upload("a.txt", path="/one/two/three/four/five")
    listed = await drive.client.json_of("GET", "/api/v1/files", params={"path": "/"})
    body = {"resourceId": listed["items"][0]["id"], "permission": "DOWNLOAD"}
    link = await drive.client.json_of("POST", "/api/v1/share-links", 201, json=body)
    base = f"/api/v1/share-links/token/{link['token']}"
    file = await drive.client.json_of("GET", f"/api/v1/files/{file_id}")

    opening = await drive.cost_of("POST", f"{base}/access")
    describing = await drive.cost_of("GET", base)
    listing = await drive.cost_of("GET", f"{base}/items", params={"parentId": file["parentId"]})
    downloading = await drive.cost_of("GET", f"{base}/items/{file_id}/download", 302)

    assert opening.statements <= 8
    assert (opening.transactions, opening.events) == (1, 1)
    assert (describing.statements, describing.transactions) == (3, 0)
    assert listing.statements <= 5
    assert listing.transactions == 0
    assert downloading.statements <= 5
    assert (downloading.transactions, downloading.events) == (1, 1)
