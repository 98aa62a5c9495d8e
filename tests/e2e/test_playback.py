"""Play films and sounds in a real browser right after the upload, from either store."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Locator, Route, expect

from tests.e2e.page_checks import check_page
from tests.e2e.screen import Screen
from tests.fixtures.media import make_clip
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.reliability.product_launch import s3_settings

SECONDS = 40
RENDITIONS_TIMEOUT_MS = 300_000
"""Time limit in milliseconds for making all renditions; the machine may be busy with other tests."""
FILM = (
    f"-f lavfi -i testsrc2=size=1920x1080:rate=20:duration={SECONDS} -f lavfi -i sine=frequency=440:duration={SECONDS} "
    "-c:v libx264 -preset ultrafast -g 40 -pix_fmt yuv420p -b:v 4M -c:a aac -movflags +faststart"
).split()
SUBTITLES = "1\n00:00:00,500 --> 00:00:39,000\nXin chào\n"


@pytest.fixture(scope="module", params=["embedded", "s3"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product on each kind of object store."""
    settings = {"PART_SIZE": str(5 * 2**20)}
    if request.param == "s3":
        settings |= s3_settings(request.getfixturevalue("seaweedfs"), bucket="server")
    with running_metastore(tmp_path_factory.mktemp("server"), **settings) as product:
        yield product


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 1080 lines, with a subtitle file beside it."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_clip(path, *FILM)
    path.with_suffix(".vi.srt").write_text(SUBTITLES)
    return path


async def test_a_film_plays_while_its_renditions_are_being_made(
    server: MetastoreProcess, context: BrowserContext, film: Path
) -> None:
    """It starts in its own size, with its length known; smaller sizes are offered as they become ready."""
    screen = await Screen.open(context, server.address)
    await screen.sign_up()
    await screen.upload([film, film.with_suffix(".vi.srt")])
    await expect(screen.file_row(film.name)).to_have_attribute("data-status", "PROCESSING")
    await screen.file_row(film.name).dblclick()
    page, keyboard = screen.page, screen.page.keyboard
    player, video = screen.hook("player"), screen.hook("video")
    await expect(player).to_have_attribute("data-state", "playing")
    await _is_past(player, 1)
    await expect(screen.hook("making-badge")).to_be_visible()
    assert ("1080", "1080") == (await _state(player, "heights"), await _state(player, "height"))
    assert abs(float(await _state(player, "duration")) - SECONDS) < 0.5
    assert 1080 == await video.evaluate("video => video.videoHeight")
    await keyboard.press("k")
    await expect(player).to_have_attribute("data-state", "paused")
    before = float(await _state(player, "time"))
    await check_page(screen, "en", "a film")

    await expect(player).to_have_attribute("data-heights", "1080 720 480 360", timeout=RENDITIONS_TIMEOUT_MS)
    await expect(screen.hook("making-badge")).to_have_count(0)
    await expect(player).to_have_attribute("data-height", re.compile("720|480|360"))
    assert abs(float(await _state(player, "time")) - before) < 0.3
    await keyboard.press("k")
    await _is_past(player, before + 0.5)

    await screen.hook("quality").click()
    await page.get_by_role("menuitemradio", name="360p").click()
    await expect(player).to_have_attribute("data-height", "360")
    await page.wait_for_function("() => document.querySelector('[data-testid=video]').videoHeight === 360")
    await _is_past(player, float(await _state(player, "time")) + 0.5)
    await keyboard.press("c")
    assert "showing" == await video.evaluate("video => video.textTracks[0].mode")
    await screen.hook("time-bar").hover()
    await expect(screen.hook("time-preview").locator("div").first).to_be_visible()
    # The stream is a 409 until something can be played, which the console reports as an error.
    assert [] == [error for error in screen.errors if "409" not in error]

    await _plays_on_after_expired_urls(screen, player)
    await keyboard.press("6")
    await expect(player).to_have_attribute("data-time", re.compile(r"^(2[4-9]|3\d)\."))
    await keyboard.press("Escape")
    await expect(player).to_have_count(0)
    await expect(screen.file_row(film.name)).to_have_attribute("data-status", "READY")
    await screen.file_row(film.name).dblclick()
    # It played on until it was closed.
    await expect(screen.hook("resumed")).to_contain_text(re.compile(r"Resumed at 0:(2[4-9]|3\d)"))
    await _is_past(player, 24.5)


async def test_a_sound_plays_and_seeks_by_its_waveform(
    server: MetastoreProcess, context: BrowserContext, tmp_path: Path
) -> None:
    """A click on the waveform plays from there."""
    song = tmp_path / "song.mp3"
    await asyncio.to_thread(make_clip, song, "-f", "lavfi", "-i", "sine=frequency=330:duration=12")
    screen = await Screen.open(context, server.address)
    await screen.sign_up()
    await screen.upload(song)
    await expect(screen.file_row(song.name)).to_have_attribute("data-status", "READY")
    await screen.file_row(song.name).dblclick()
    player = screen.hook("player")
    await _is_past(player, 0.5)
    await expect(screen.hook("waveform")).to_be_visible()
    await check_page(screen, "en", "a sound")
    box = await screen.hook("time-bar").bounding_box()
    assert box
    await screen.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 20)
    await _is_past(player, 8.9)
    assert [] == screen.errors


async def _plays_on_after_expired_urls(screen: Screen, player: Locator) -> None:
    """Assert that the player requests new URLs and plays on when the store refuses the segments' URLs as expired."""
    page = screen.page
    refused: list[str] = []

    async with page.expect_response(re.compile("/stream$")) as stream_request:

        async def refuse(route: Route) -> None:
            # Refuse more than the first: the player may have cancelled that request before its response.
            if stream_request.is_done():
                await route.continue_()
                return
            refused.append(route.request.url)
            await route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})

        await page.route("**/*.m4s*", refuse)
        await screen.hook("quality").click()
        await page.get_by_role("menuitemradio", name="480p").click()
        await page.keyboard.press("0")
    assert (await stream_request.value).ok
    await page.unroute("**/*.m4s*")
    assert refused
    await expect(player).to_have_attribute("data-height", "480")
    await expect(player).to_have_attribute("data-state", re.compile("playing|ended"))


async def _state(player: Locator, name: str) -> str:
    return await player.get_attribute(f"data-{name}") or ""


async def _is_past(player: Locator, seconds: float) -> None:
    """Wait until the film has played past ``seconds``."""
    await expect(player).to_be_visible()
    await player.page.wait_for_function(
        "seconds => Number(document.querySelector('[data-testid=player]')?.dataset.time) > seconds", arg=seconds
    )
