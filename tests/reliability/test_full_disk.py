"""On a full disk writes get 507, reading, deleting and signing in still work, and writing resumes by itself.

Runs alone: other tests may use the same disk.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import PASSWORD, Client
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    UPLOADS,
    Sending,
    Usage,
    anonymous_client,
    files_of,
    new_user,
    sign_in,
    simple_upload,
    some_bytes,
    upload_request,
    usage_of,
)
from tests.reliability.product_launch import Launch

pytestmark = pytest.mark.alone

MIB = 2**20
DISK = 96 * MIB
PART = 8 * MIB
UPLOAD = 8 * MIB


class Disk:
    """The disk of the product: ``fill`` uses up its space, ``free`` makes space again."""

    def fill(self, product: MetastoreProcess) -> None:
        raise NotImplementedError

    def free(self, product: MetastoreProcess) -> None:
        raise NotImplementedError

    def limit_uploads(self, product: MetastoreProcess) -> None:
        """Make uploads of ``UPLOAD`` bytes fail sooner or later."""


class SmallDisk(Disk):
    """A separate file system of ``DISK`` bytes; only root can mount it."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, product: MetastoreProcess) -> None:
        """Fill the disk to the last block."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for block in (MIB, 4096):
                try:
                    while True:
                        ballast.write(b"\0" * block)
                except OSError:
                    continue

    def free(self, product: MetastoreProcess) -> None:
        self._ballast.unlink()


class LimitedFiles(Disk):
    """A limit on the size of files, for tests without root: parts do not fit, smaller files do."""

    def fill(self, product: MetastoreProcess) -> None:
        resource.prlimit(product.pid, resource.RLIMIT_FSIZE, (UPLOAD - MIB, resource.RLIM_INFINITY))

    def limit_uploads(self, product: MetastoreProcess) -> None:
        self.fill(product)

    def free(self, product: MetastoreProcess) -> None:
        resource.prlimit(product.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture
def product_on_disk(launch: Launch) -> Iterator[tuple[MetastoreProcess, Disk]]:
    """A running product, and the disk that it is on."""
    product = launch(PART_SIZE=str(PART))
    if os.geteuid() != 0:
        product.start()
        yield product, LimitedFiles()
        return
    with _mounted(product.data_dir):
        product.start()
        yield product, SmallDisk(product.data_dir)
        product.kill()


async def test_a_full_disk_refuses_only_writes(product_on_disk: tuple[MetastoreProcess, Disk]) -> None:
    """Acknowledged files and parts stay, what cannot be stored gets 507, and uploads complete once there is space."""
    product, disk = product_on_disk
    async with new_user(product.address) as client:
        kept = await simple_upload(client, some_bytes(MIB), "kept.bin")
        deleted = await simple_upload(client, some_bytes(MIB), "deleted.bin")
        assert (kept.status_code, deleted.status_code) == (201, 201)
        file_id, deleted_id = kept.json()["file"]["id"], deleted.json()["file"]["id"]
        sending = await Sending.begin(client, some_bytes(3 * PART))
        assert (await sending.put(1)).status_code == 200

        disk.fill(product)
        await _assert_writing_is_refused(client)
        # The same part sent again needs more space, and its failure must not delete the stored part.
        again = await sending.put(1, some_bytes(PART))
        assert again.status_code == 507, again.text
        await _assert_reading_works(client, file_id)
        assert (await client.get("/healthz")).status_code == 200
        await _assert_deleting_works(client, deleted_id, product.address)
        await _assert_no_server_errors(client, product.address)

        disk.free(product)
        await eventually(lambda: _writes(client), interval=0.2, why="writing resumes by itself")
        assert sending.etags.items() <= (await sending.state()).items()
        await sending.put_all({2, 3})
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()
        files = await files_of(client)
        assert {file_id, sending.file_id} <= files.keys()
        assert deleted_id not in files
        await eventually(lambda: _usage_equals_files(client), timeout=20, interval=0.2, why="the quota is exact")


async def test_deleting_frees_a_disk_filled_by_uploads(
    product_on_disk: tuple[MetastoreProcess, Disk],
) -> None:
    """Uploads leave the space that the database needs for signing in, deleting and purging."""
    product, disk = product_on_disk
    async with new_user(product.address) as client:
        uploaded: list[str] = []
        while (response := await simple_upload(client, some_bytes(UPLOAD), "ballast.bin")).status_code == 201:
            uploaded.append(response.json()["file"]["id"])
            if len(uploaded) == 2:
                disk.limit_uploads(product)
        assert (response.status_code, response.json()["code"]) == (507, "storage-full")
        assert len(uploaded) >= 2
        initiated = await client.post(f"{UPLOADS}/initiate", json=upload_request(UPLOAD))
        assert (initiated.status_code, initiated.json()["code"]) == (507, "storage-full")
        assert await usage_of(client) == Usage(len(uploaded) * UPLOAD, 0)
        async with new_user(product.address) as other:
            assert (await other.post("/api/v1/folders", json={"name": "new"})).status_code == 201
        for file_id in uploaded:
            assert (await client.delete(f"/api/v1/files/{file_id}")).status_code == 204
        assert (await client.delete("/api/v1/trash")).status_code == 204
        assert await usage_of(client) == Usage(0, 0)
        await eventually(lambda: _writes(client), interval=0.2, why="writing resumes by itself")


async def _assert_writing_is_refused(client: Client) -> None:
    for attempt in range(3):
        initiated = await client.post(f"{UPLOADS}/initiate", json=upload_request(UPLOAD))
        assert (initiated.status_code, initiated.json()["code"]) == (507, "storage-full"), f"{attempt}"
        response = await simple_upload(client, some_bytes(UPLOAD))
        assert (response.status_code, response.json()["code"]) == (507, "storage-full"), f"{attempt}"


async def _assert_reading_works(client: Client, file_id: str) -> None:
    assert file_id in await files_of(client)
    redirect = await client.get(f"/api/v1/files/{file_id}/download")
    assert redirect.status_code == 302, f"a download is refused: {redirect.status_code} {redirect.text}"
    assert len((await client.get(redirect.headers["location"])).content) == MIB


async def _assert_deleting_works(client: Client, file_id: str, address: str) -> None:
    """Assert that deleting, purging, signing in and signing out work."""
    assert (await client.delete(f"/api/v1/files/{file_id}")).status_code == 204
    assert (await client.delete(f"/api/v1/trash/{file_id}")).status_code == 204
    user = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
    async with anonymous_client(address) as again:
        await sign_in(again, user["username"], PASSWORD)
        assert (await again.post("/api/v1/auth/logout")).status_code == 204


async def _assert_no_server_errors(client: Client, address: str) -> None:
    """Assert that other requests get their usual response or 507, not another 5xx or a closed connection."""
    user = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
    async with anonymous_client(address) as again:
        credentials = {"username": user["username"], "password": PASSWORD}
        responses = [
            await again.post("/api/v1/auth/login", json=credentials),
            await again.post("/api/v1/auth/login", json={**credentials, "password": "wrong"}),
            await client.post("/api/v1/auth/refresh"),
            await client.post("/api/v1/folders", json={"name": "new"}),
            await client.post("/api/v1/notifications/read-all"),
        ]
    for response in responses:
        assert response.status_code < 500 or response.status_code == 507, f"{response.url}: {response.status_code}"
        assert "Traceback" not in response.text


async def _writes(client: Client) -> bool:
    return (await simple_upload(client, some_bytes(1000), "after.bin")).status_code == 201


async def _usage_equals_files(client: Client) -> bool:
    files = (await files_of(client)).values()
    uploading = sum(file["size"] for file in files if file["status"] == "UPLOADING")
    return await usage_of(client) == Usage(sum(file["size"] for file in files) - uploading, uploading)


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
