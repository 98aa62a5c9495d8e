"""Shared films and pictures, on both stores: as players request them, following redirects, and until the link ends."""

import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from metastore.entrypoints.serve import build_asgi
from tests.features.sharing.shared_drive import SharedDrive, public
from tests.fixtures.hls_validator import validate
from tests.fixtures.http_server import serving
from tests.fixtures.product import Client, Running, running
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.stored_films import Renditions, StoredFilm
from tests.fixtures.waiting import eventually

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


class ServedDrive(SharedDrive):
    """A shared drive behind a real server."""

    address: str = ""

    def browser(self) -> Client:
        """Return a browser without a session."""
        return Client(base_url=self.address, trust_env=False, timeout=30)


@pytest.fixture(params=["local", "s3"])
async def drive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServedDrive]:
    """A drive on the embedded store and on a real S3 server."""
    settings: dict[str, object] = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("seaweedfs")
        settings = {
            "storage_url": f"s3://shares-{os.getpid()}?endpoint={server.endpoint}",
            "s3_access_key_id": server.access_key,
            "s3_secret_access_key": server.secret_key,
        }
    account = {"username": "vera", "email": "vera@example.org", "password": "correct horse battery staple"}
    async with (
        running(tmp_path / "data", **settings) as product,
        serving(build_asgi(product.product)) as address,
        Client(base_url=address, trust_env=False, timeout=30) as owner,
    ):
        owner_id = (await owner.json_of("POST", "/api/v1/auth/register", 201, json=account))["user"]["id"]
        await owner.json_of("POST", "/api/v1/auth/login", json=account)
        drive = ServedDrive(Running(product.product, product.transport), owner, owner_id)
        drive.address = address
        yield drive


@pytest.fixture
async def browser(drive: ServedDrive) -> AsyncIterator[Client]:
    """A visitor's browser."""
    async with drive.browser() as browser:
        yield browser


@pytest.fixture
async def player() -> AsyncIterator[httpx.AsyncClient]:
    """A player without cookies that follows redirects."""
    async with httpx.AsyncClient(trust_env=False, timeout=30, follow_redirects=True) as player:
        yield player


async def test_a_film_plays_under_view_without_a_byte_of_the_original(
    drive: ServedDrive, browser: Client, player: httpx.AsyncClient, film_renditions: Renditions
) -> None:
    """Its playlists, segments, sprite and poster are all reached, and are exactly what was made of it."""
    film = await drive.film(StoredFilm(film_renditions, sprite=True, preview=True))
    link = await drive.link(film, "VIEW")
    opened = await browser.json_of("POST", public(link, "/access"))

    stream = await browser.json_of("GET", public(link, f"/items/{film}/stream"))
    preview = await browser.json_of("GET", public(link, f"/items/{film}/preview"))

    played = await validate(player, stream["url"])
    assert [] == played.faults
    for name, rendition in film_renditions.items():
        assert rendition.init + b"".join(rendition.segments) == played.renditions[f"{name}.m3u8"].bytes
    text = (await player.get(urljoin(stream["url"], "v180.m3u8"))).text
    assert b"RIFF picture" == (await browser.get(stream["poster"], follow_redirects=True)).content
    assert b"RIFF picture" == (await browser.get(preview["pictureUrl"], follow_redirects=True)).content
    cues = (await player.get(stream["sprite"])).text
    assert "sprite.webp#xywh=" in cues
    assert b"RIFF picture" == (await player.get(urljoin(stream["sprite"], "sprite.webp"))).content
    assert (None, None) == (opened["downloadUrl"], preview["url"])
    assert opened["streamUrl"].endswith("/master.m3u8")
    for shown in (opened, stream, preview, text, cues):
        assert f"files/{film}" not in str(shown), "a URL of an object that outlives the link"
    for route in ("download", "content"):
        assert await browser.problem_of("GET", public(link, f"/items/{film}/{route}"), 403) == "download-not-permitted"


async def test_subtitles_in_a_shared_folder_are_shown_with_its_film(
    drive: ServedDrive, browser: Client, player: httpx.AsyncClient, film_renditions: Renditions
) -> None:
    film = await drive.film(StoredFilm(film_renditions))
    album = await drive.folder("album")
    await drive.upload("film.vi.srt", SRT, "/album", "application/x-subrip")
    await drive.owner.json_of("PATCH", f"/api/v1/files/{film}", json={"parentId": album})
    link = await drive.link(album)
    await browser.json_of("POST", public(link, "/access"))

    stream = await browser.json_of("GET", public(link, f"/items/{film}/stream"))

    [track] = stream["subtitles"]
    assert "Hello" in (await player.get(track["url"])).text


@pytest.mark.parametrize("end", ["revoke", "password", "permission", "trash"])
async def test_a_link_that_ends_during_playback_takes_every_byte_with_it(
    drive: ServedDrive, browser: Client, player: httpx.AsyncClient, film_renditions: Renditions, end: str
) -> None:
    """What asks again is refused at once; a URL of bytes that was handed out before dies by itself within seconds."""
    film = await drive.film(StoredFilm(film_renditions, sprite=True, preview=True))
    link = await drive.link(film, "DOWNLOAD")
    await browser.json_of("POST", public(link, "/access"))
    stream = await browser.json_of("GET", public(link, f"/items/{film}/stream"))
    base = stream["url"].removesuffix("master.m3u8")
    asking = [f"{base}{path}" for path in ("master.m3u8", "v180.m3u8", "thumbnails.vtt")]
    redirecting = [f"{base}{path}" for path in ("v180/init.mp4", "v180/0.m4s", "sprite.webp")]
    redirecting += [f"{drive.address}{public(link, f'/items/{film}/{route}')}" for route in ("download", "picture")]
    handed_out = [(await browser.get(url)).headers["location"] for url in redirecting]
    assert {200} == {(await player.get(url)).status_code for url in (*asking, *handed_out)}

    if end == "revoke":
        await drive.revoke(link)
    elif end == "trash":
        await drive.owner.json_of("DELETE", f"/api/v1/files/{film}", 204)
    else:
        await drive.change(link, **{end: "VIEW" if end == "permission" else "new"})

    for url in (*asking, *redirecting):
        response = await browser.get(url)
        assert response.status_code in (401, 404, 410), f"{url}: {response.status_code}"
    if drive.running.product.local_store is None:
        assert all("X-Amz-Expires=60" in url for url in handed_out), handed_out
        return
    for url in handed_out:
        await eventually(partial(_is_refused, player, url), timeout=6)


async def _is_refused(player: httpx.AsyncClient, url: str) -> bool:
    return (await player.get(url)).status_code == 403
