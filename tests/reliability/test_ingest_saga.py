"""Pictures and films are probed in child processes and get a thumbnail; broken ones fail with a reason."""

import io
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import Client
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import all_items, new_user


async def upload(client: Client, name: str, content: bytes) -> dict[str, Any]:
    response = await client.json_of("POST", "/api/v1/files/upload", 201, files={"file": (name, content)})
    file: dict[str, Any] = response["file"]
    return file


async def settled(client: Client, file_id: str) -> dict[str, Any]:
    async def ended() -> dict[str, Any]:
        seen: dict[str, Any] = await client.json_of("GET", f"/api/v1/files/{file_id}")
        return seen if seen["status"] in ("READY", "FAILED") else {}

    return await eventually(ended, interval=0.1, why="the file is processed")


async def notifications_of(client: Client, file_id: str) -> list[str]:
    """Return the types of the owner's notifications about a file, once there are any."""

    async def notified() -> list[str]:
        notices = await client.json_of("GET", "/api/v1/notifications")
        return [notice["type"] for notice in notices["items"] if notice["payload"].get("fileId") == file_id]

    return await eventually(notified, interval=0.1, why="the owner is notified")


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    path = tmp_path / "film.webm"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "1"]
    subprocess.run([*command, "-c:v", "libvpx", str(path)], check=True)
    return path.read_bytes()


async def test_pictures_and_films_get_a_thumbnail_that_is_deleted_with_them(
    profile: MetastoreProcess, film: bytes
) -> None:
    encoded = io.BytesIO()
    Image.effect_noise((800, 400), 50).save(encoded, "PNG")
    async with new_user(profile.address) as client, httpx.AsyncClient(timeout=60) as stranger:
        for name, content in (("beach.png", encoded.getvalue()), ("film.webm", film)):
            file = await upload(client, name, content)
            assert (file["status"], file["thumbnailUrl"]) == ("PROCESSING", None)
            file = await settled(client, file["id"])
            assert (file["status"], file["processing"]["state"]) == ("READY", "DONE"), file
            response = await stranger.get(file["thumbnailUrl"])
            assert (response.status_code, response.headers["content-type"]) == (200, "image/webp")
            assert Image.open(io.BytesIO(response.content)).size[0] == 256
            (listed,) = [item for item in await all_items(client, "/api/v1/files") if item["id"] == file["id"]]
            assert listed["thumbnailUrl"] == file["thumbnailUrl"]
            assert await notifications_of(client, file["id"]) == ["file.ready"]

            assert (await client.delete(f"/api/v1/files/{file['id']}")).status_code == 204
            assert (await client.delete(f"/api/v1/trash/{file['id']}")).status_code == 204

            async def gone(url: str = file["thumbnailUrl"]) -> bool:
                return (await stranger.get(url)).status_code == 404

            await eventually(gone, interval=0.1, why="the thumbnail is deleted")


async def test_a_broken_film_fails_with_a_reason_and_can_be_downloaded(profile: MetastoreProcess, film: bytes) -> None:
    broken = film[:300]
    async with new_user(profile.address) as client:
        failed = await settled(client, (await upload(client, "film.webm", broken))["id"])
        assert failed["status"] == "FAILED"
        assert failed["processing"]["error"].endswith(".")
        assert not failed["processing"]["retryable"]
        refused = await client.post(f"/api/v1/files/{failed['id']}/retry")
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing-to-retry")
        location = (await client.get(f"/api/v1/files/{failed['id']}/download")).headers["location"]
        assert (await client.get(location)).content == broken

        assert await notifications_of(client, failed["id"]) == ["file.failed"]
        notice = (await client.json_of("GET", "/api/v1/notifications"))["items"][0]
        assert notice["payload"]["reason"] == failed["processing"]["error"]
