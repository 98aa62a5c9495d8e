"""Streams over HTTP, on both stores, as players request them: without cookies, and without following redirects."""

import asyncio
import gzip
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import select

from metastore.entrypoints.serve import build_asgi
from metastore.features.media.models import MediaSegment, Rendition
from metastore.kit.ids import new_id
from tests.fixtures.hls_validator import validate
from tests.fixtures.http_server import serving
from tests.fixtures.product import Client, Running, running
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.stored_films import Renditions, StoredFilm, film_renditions, store_file, store_film

__all__ = ["film_renditions"]

SRT = "1\n00:00:01,000 --> 00:00:02,500\nXin chào & <b>tạm biệt</b>\n".encode()


@dataclass
class MediaApp:
    """A running server, a signed-in user, and a player without cookies."""

    product: Running
    address: str
    user: Client
    owner: str
    player: httpx.AsyncClient

    async def show(self, plan: StoredFilm) -> str:
        """Add a video; return its id."""
        return await store_film(self.product.product.database, self.product.product.store, self.owner, plan)

    async def put(self, name: str, content: bytes, mime_type: str) -> str:
        """Add a file; return its id."""
        product = self.product.product
        return await store_file(product.database, product.store, self.owner, name, content, mime_type)

    async def text(self, url: str) -> str:
        """Return what a player receives from a URL."""
        response = await self.player.get(url)
        assert response.status_code == 200, response.text
        return response.text


@pytest.fixture(params=["local", "s3"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaApp]:
    """Run on the embedded store and on a real S3 server."""
    settings: dict[str, object] = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("seaweedfs")
        settings = {
            "storage_url": f"s3://streams-{os.getpid()}?endpoint={server.endpoint}",
            "s3_access_key_id": server.access_key,
            "s3_secret_access_key": server.secret_key,
        }
    async with (
        running(tmp_path / "data", **settings) as product,
        serving(build_asgi(product.product)) as address,
        Client(base_url=address, trust_env=False, timeout=30) as user,
        httpx.AsyncClient(trust_env=False, timeout=30) as player,
    ):
        account = {"username": "vera", "email": "vera@example.org", "password": "correct horse battery staple"}
        owner = (await user.json_of("POST", "/api/v1/auth/register", 201, json=account))["user"]["id"]
        await user.json_of("POST", "/api/v1/auth/login", json=account)
        yield MediaApp(product, address, user, owner, player)


async def test_a_player_can_load_a_whole_video_from_its_url(app: MediaApp, film_renditions: Renditions) -> None:
    """All playlists and segments are valid, and the segments are those that were stored."""
    file_id = await app.show(StoredFilm(film_renditions))
    await app.put("film.vi.srt", SRT, "text/plain")
    shown = await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream")
    assert ("hls", True, 7000) == (shown["type"], shown["complete"], shown["durationMs"])
    assert ["v180", "v90", "a0", "a1"] == [rendition["name"] for rendition in shown["renditions"]]
    stream = await validate(app.player, shown["url"])
    assert [] == stream.faults
    for name, rendition in film_renditions.items():
        assert rendition.init + b"".join(rendition.segments) == stream.renditions[f"{name}.m3u8"].bytes
    found = await ffprobe(shown["url"])
    kinds = [(stream["codec_name"], stream.get("width")) for stream in found["streams"]]
    assert {("h264", 320), ("h264", 160), ("aac", None)} == set(kinds)
    assert abs(float(found["format"]["duration"]) - 7) < 0.2


async def test_an_unfinished_video_can_be_played(app: MediaApp, film_renditions: Renditions) -> None:
    """From its first segments on; the response says that the stream is not complete."""
    file_id = await app.show(
        StoredFilm(film_renditions, made={"v180": 2, "v90": 1, "a0": 2, "a1": 1}, status="PROCESSING")
    )
    shown = await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream")
    assert not shown["complete"]
    assert {"making"} == {rendition["state"] for rendition in shown["renditions"]}
    stream = await validate(app.player, shown["url"])
    assert [] == stream.faults
    assert [2, 1] == [len(stream.renditions[f"v{size}.m3u8"].playlist.segments) for size in (180, 90)]
    response = await app.player.get(shown["url"])
    assert "no-store" == response.headers["cache-control"]


async def test_playlists_can_be_read_by_any_origin_and_cached_for_a_while(
    app: MediaApp, film_renditions: Renditions
) -> None:
    """The token is the credential. Pages of another origin can also read problem responses."""
    shown = await app.user.json_of("GET", f"/api/v1/files/{await app.show(StoredFilm(film_renditions))}/stream")
    elsewhere = {"Origin": "https://elsewhere.example.org"}
    for name in ("master.m3u8", "v180.m3u8", "a0.m3u8"):
        response = await app.player.get(urljoin(shown["url"], name), headers=elsewhere)
        assert ("*", 200) == (response.headers["access-control-allow-origin"], response.status_code)
        assert "application/vnd.apple.mpegurl" == response.headers["content-type"]
        assert response.headers["cache-control"].startswith("private, max-age=")
        assert "set-cookie" not in response.headers
        headers_only = await app.player.head(urljoin(shown["url"], name), headers=elsewhere)
        assert (200, b"", response.headers["content-length"]) == (
            headers_only.status_code,
            headers_only.content,
            headers_only.headers["content-length"],
        )
        preflight = {**elsewhere, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-player"}
        allowed = await app.player.options(urljoin(shown["url"], name), headers=preflight)
        assert (204, "*") == (allowed.status_code, allowed.headers["access-control-allow-origin"])
        assert "*" == allowed.headers["access-control-allow-headers"]
    refused = await app.player.get(urljoin(shown["url"], "v1080.m3u8"), headers=elsewhere)
    assert ("*", 404) == (refused.headers["access-control-allow-origin"], refused.status_code)


async def test_segments_can_be_cached(app: MediaApp, film_renditions: Renditions) -> None:
    """Their URLs do not change between two requests for the playlist, and the responses are cacheable."""
    shown = await app.user.json_of("GET", f"/api/v1/files/{await app.show(StoredFilm(film_renditions))}/stream")
    playlist = urljoin(shown["url"], "v180.m3u8")
    first = await app.text(playlist)
    assert first == await app.text(playlist)
    segment = next(line for line in first.splitlines() if line.startswith("http"))
    response = await app.player.get(segment, headers={"Origin": app.address})
    assert "video/mp4" == response.headers["content-type"]
    assert "immutable" in response.headers["cache-control"]
    assert "private" in response.headers["cache-control"]


async def test_long_playlists_are_compressed_for_clients_that_accept_gzip(
    app: MediaApp, film_renditions: Renditions
) -> None:
    rendition = film_renditions["v180"]
    file_id = await app.show(StoredFilm(film_renditions))
    database = app.product.product.database
    async with database.transaction() as tx:
        statement = select(Rendition.id).where(Rendition.file_id == file_id, Rendition.name == "v180")
        rendition_id = (await tx.session.scalars(statement)).one()
        tx.session.add_all(
            MediaSegment(rendition_id=rendition_id, number=n, start_us=n, duration_us=2_000_000, size=1)
            for n in range(len(rendition.segments), 300)
        )
    url = urljoin((await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream"))["url"], "v180.m3u8")
    async with app.player.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as response:
        assert ("gzip", "Accept-Encoding") == (response.headers["content-encoding"], response.headers["vary"])
        compressed = b"".join([chunk async for chunk in response.aiter_raw()])
    plain = await app.player.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(compressed)
    assert 300 == plain.text.count("#EXTINF")


async def test_sidecar_subtitles_are_subtitle_tracks(app: MediaApp, film_renditions: Renditions) -> None:
    """Those with the name of the video, with their languages; no others."""
    file_id = await app.show(StoredFilm(film_renditions))
    await app.put("film.vi.srt", SRT, "text/plain")
    await app.put("film.srt", SRT, "text/plain")
    for name in ("film2.srt", "film.notes.srt", "film.vi.txt", "other.srt", "films.vi.srt"):
        await app.put(name, SRT, "text/plain")
    shown = await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream")
    assert [("film.srt", None), ("vi", "vi")] == [(t["name"], t["language"]) for t in shown["subtitles"]]
    master = await app.text(shown["url"])
    assert 2 == master.count("TYPE=SUBTITLES")
    assert 'SUBTITLES="subtitles"' in master
    response = await app.player.get(shown["subtitles"][1]["url"], headers={"Origin": "https://elsewhere.example.org"})
    assert "text/vtt; charset=utf-8" == response.headers["content-type"]
    assert "*" == response.headers["access-control-allow-origin"]
    assert "00:00:01.000 --> 00:00:02.500\nXin chào &amp; <b>tạm biệt</b>\n" in response.text
    other = await app.put("elsewhere.srt", SRT, "text/plain")
    assert 404 == (await app.player.get(urljoin(shown["url"], f"subtitles/{other}.vtt"))).status_code


async def test_a_sidecar_without_subtitles_is_not_found(app: MediaApp, film_renditions: Renditions) -> None:
    file_id = await app.show(StoredFilm(film_renditions))
    junk = await app.put("film.vi.srt", bytes(range(256)) * 4, "text/plain")
    shown = await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream")
    assert 404 == (await app.player.get(urljoin(shown["url"], f"subtitles/{junk}.vtt"))).status_code


async def test_a_video_has_a_poster_and_a_sprite(app: MediaApp, film_renditions: Renditions) -> None:
    """The sprite's WebVTT refers to regions of one image."""
    file_id = await app.show(StoredFilm(film_renditions, preview=True, sprite=True))
    shown = await app.user.json_of("GET", f"/api/v1/files/{file_id}/stream")
    poster = await app.player.get(shown["poster"])
    assert (b"RIFF picture", "image/webp") == (poster.content, poster.headers["content-type"])
    text = await app.text(shown["sprite"])
    cues = text.removeprefix("WEBVTT\n\n").split("\n\n")
    assert 3 == len(cues)
    assert cues[2].startswith("00:00:06.000 --> 00:00:07.000\nhttp")
    assert cues[2].strip().endswith("#xywh=0,90,160,90")
    picture = cues[0].splitlines()[1].partition("#")[0]
    assert b"RIFF picture" == (await app.player.get(picture)).content


async def test_urls_of_missing_images_are_null(app: MediaApp, film_renditions: Renditions) -> None:
    shown = await app.user.json_of("GET", f"/api/v1/files/{await app.show(StoredFilm(film_renditions))}/stream")
    assert (None, None, []) == (shown["poster"], shown["sprite"], shown["subtitles"])
    assert 404 == (await app.player.get(urljoin(shown["url"], "thumbnails.vtt"))).status_code


async def test_playable_files_are_listed_with_a_stream_url(app: MediaApp, film_renditions: Renditions) -> None:
    """In folders, alone and in previews, but not in the trash, from which nothing is played."""
    file_id = await app.show(StoredFilm(film_renditions))
    other = await app.show(StoredFilm(film_renditions, name="later.mp4", playable=False))
    items = {item["id"]: item for item in (await app.user.json_of("GET", "/api/v1/files"))["items"]}
    assert items[other]["streamUrl"] is None
    alone = await app.user.json_of("GET", f"/api/v1/files/{file_id}")
    assert items[file_id]["streamUrl"] == alone["streamUrl"]
    assert (await app.text(alone["streamUrl"])).startswith("#EXTM3U")
    preview = await app.user.json_of("GET", f"/api/v1/files/{file_id}/preview")
    assert preview["streamUrl"] == alone["streamUrl"]
    await app.user.json_of("DELETE", f"/api/v1/files/{file_id}", 204)
    [trashed] = (await app.user.json_of("GET", "/api/v1/trash"))["items"]
    assert trashed["streamUrl"] is None
    assert 404 == (await app.player.get(alone["streamUrl"])).status_code
    await app.user.json_of("POST", f"/api/v1/trash/{file_id}/restore")
    assert 200 == (await app.player.get(alone["streamUrl"])).status_code


async def test_a_token_grants_access_to_its_own_file_only(app: MediaApp, film_renditions: Renditions) -> None:
    """Invalid tokens are refused as not found."""
    mine = await app.show(StoredFilm(film_renditions))
    other = await app.show(StoredFilm({"v90": film_renditions["v90"]}, name="other.mp4"))
    url = (await app.user.json_of("GET", f"/api/v1/files/{mine}/stream"))["url"]
    theirs = (await app.user.json_of("GET", f"/api/v1/files/{other}/stream"))["url"]
    token, other_token = url.split("/")[-2], theirs.split("/")[-2]
    assert 404 == (await app.player.get(theirs.replace("master", "a0"))).status_code
    for forged in (token[:-6] + other_token[-6:], other_token[:-22] + token[-22:], new_id(), "x", mine):
        response = await app.player.get(f"{app.address}/api/v1/streams/{forged}/master.m3u8")
        assert (404, "not-found") == (response.status_code, response.json()["code"])


async def test_streaming_an_unplayable_file_is_refused(app: MediaApp, film_renditions: Renditions) -> None:
    """With 409 if the file exists, otherwise with 404."""
    notes = await app.put("notes.txt", b"hello", "text/plain")
    assert "not-playable" == await app.user.problem_of("GET", f"/api/v1/files/{notes}/stream", 409)
    assert "not-found" == await app.user.problem_of("GET", f"/api/v1/files/{new_id()}/stream", 404)
    assert "not-found" == await app.user.problem_of("GET", "/api/v1/files/nonsense/stream", 404)


async def ffprobe(url: str) -> Any:  # noqa: ANN401  JSON
    """Return what ffprobe finds at a URL, after checking that it reports no errors."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", url]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    output, errors = await asyncio.wait_for(process.communicate(), timeout=60)
    assert (0, "") == (process.returncode, errors.decode())
    return json.loads(output)
