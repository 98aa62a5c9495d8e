"""Videos are probed, and represented by a poster and a sprite."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import AudioTrack, MediaRefusedError, NoPictureError, Source
from tests.adapters.media_tools.sample_files import decoded, has_colour, source
from tests.fixtures.media import ORIENTATIONS, make_clip, with_orientation

SIZES = [256, 1024]
RED, BLUE, LIME, WHITE = (254, 0, 0), (0, 0, 254), (0, 254, 0), (255, 255, 255)
_ORIENTATION = 0x0112
"""The Exif tag of the orientation."""
VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-t", "2"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


def clip(folder: Path, name: str, *arguments: str, mime_type: str = "video/mp4") -> Source:
    return source(make_clip(folder / name, *arguments), mime_type)


async def test_a_video_is_probed(folder: Path) -> None:
    sounds = "-f lavfi -i sine=sample_rate=48000 -map 0:v -map 1:a -map 1:a -t 2"
    encoding = "-c:a:0 aac -ac:a:0 2 -c:a:1 libmp3lame"
    metadata = "-metadata:s:a:0 language=vie -metadata:s:a:1 language=eng -metadata:s:a:1 title=Director"
    arguments = f"{sounds} {encoding} {metadata}".split()
    given = clip(folder, "film.mkv", *VIDEO, *arguments, *H264, mime_type="video/x-matroska")
    probed = await SandboxedMediaTools().probe(given)
    assert (320, 180, 30.0, "h264", "aac") == (
        probed.width,
        probed.height,
        probed.frame_rate,
        probed.video_codec,
        probed.audio_codec,
    )
    assert probed.duration_ms in range(1900, 2200)
    assert probed.video_copyable
    assert not probed.has_cover
    assert (
        AudioTrack("aac", 2, "vi", None, default=True, copyable=True),
        AudioTrack("mp3", 1, "en", "Director", default=False, copyable=False),
    ) == probed.audio_tracks


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "srt"), ("a.mkv", "ass"), ("a.mov", "mov_text")])
async def test_embedded_subtitles_are_ignored(folder: Path, name: str, codec: str) -> None:
    (folder / "a.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nXin chào\n")
    more = ["-i", str(folder / "a.srt"), "-map", "0", "-map", "1", "-c:s", codec, "-t", "2"]
    if name == "a.mov":
        more += ["-timecode", "01:00:00:00"]
    tools, given = SandboxedMediaTools(), clip(folder, name, *VIDEO, *more, *H264)
    assert "h264" == (await tools.probe(given)).video_codec
    assert await tools.thumbnails(given, sizes=SIZES)


async def test_a_rotated_video_is_shown_upright(folder: Path) -> None:
    halves = [part for colour in ("red", "blue") for part in ("-f", "lavfi", "-i", f"color={colour}:size=160x180")]
    film = make_clip(folder / "halves.mp4", *halves, "-filter_complex", "hstack", "-t", "1", *H264)
    tools, given = SandboxedMediaTools(), source(with_orientation(film, 6), "video/mp4")
    probed = await tools.probe(given)
    assert (180, 320, False) == (probed.width, probed.height, probed.video_copyable)
    small, large = map(decoded, await tools.thumbnails(given, sizes=SIZES))
    assert ((144, 256), (180, 320)) == (small.size, large.size)
    assert has_colour(RED, large, (90, 40), tolerance=20)
    assert has_colour(BLUE, large, (90, 280), tolerance=20)
    sprite = await tools.sprite(given)
    assert (160, 284) == (sprite.tile_width, sprite.tile_height)
    assert has_colour(RED, decoded(sprite.data), (80, 40), tolerance=20)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
async def test_a_video_is_rotated_and_mirrored_like_an_image(folder: Path, orientation: int) -> None:
    """Compared by quarters, each of which has a colour of its own."""
    quarters = "color=red:size=320x180,drawbox=x=160:c=blue:t=fill,drawbox=y=90:w=160:c=lime:t=fill"
    film = make_clip(folder / "quarters.mp4", "-f", "lavfi", "-i", quarters, "-t", "1", *H264)
    tools, given = SandboxedMediaTools(), source(with_orientation(film, orientation), "video/mp4")
    landscape = Image.new("RGB", (320, 180), RED)
    landscape.paste(BLUE, (160, 0, 320, 180))
    landscape.paste(LIME, (0, 90, 160, 180))
    landscape.getexif()[_ORIENTATION] = orientation
    expected = ImageOps.exif_transpose(landscape)
    probed = await tools.probe(given)
    assert (*expected.size, orientation == 1) == (probed.width, probed.height, probed.video_copyable)
    large = decoded((await tools.thumbnails(given, sizes=SIZES))[1])
    assert expected.size == large.size
    sprite = decoded((await tools.sprite(given)).data)
    for image in (large, sprite):
        for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
            colour = expected.getpixel((int(expected.width * x), int(expected.height * y)))
            assert isinstance(colour, tuple)
            assert has_colour(colour, image, (int(image.width * x), int(image.height * y)), tolerance=25)


async def test_a_video_is_shown_in_square_pixels(folder: Path) -> None:
    given = clip(folder, "wide.mp4", *VIDEO, "-vf", "setsar=4/3", *H264)
    tools = SandboxedMediaTools()
    probed = await tools.probe(given)
    assert (427, 180, False) == (probed.width, probed.height, probed.video_copyable)
    (made,) = await tools.thumbnails(given, sizes=[1024])
    assert (427, 180) == decoded(made).size


_TEN_BITS = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
_NOT_COPYABLE = {
    "ten bits": ("a.mp4", *VIDEO, *_TEN_BITS),
    "interlaced": ("a.mp4", *VIDEO, *H264, "-flags", "+ildct+ilme", "-x264opts", "interlaced=1"),
    "transport stream": ("a.ts", *VIDEO, *H264),
    "another codec": ("a.webm", *VIDEO, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
    "odd size": ("a.mp4", *VIDEO, "-vf", "scale=321:181", "-c:v", "libx264", "-pix_fmt", "yuv444p"),
    "rare keyframes": (
        *("a.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5", "-t", "30", *H264),
        *("-g", "1000", "-sc_threshold", "0"),
    ),
}


@pytest.mark.parametrize("name", _NOT_COPYABLE)
async def test_video_that_browsers_cannot_play_is_not_copyable(name: str, folder: Path) -> None:
    file, *arguments = _NOT_COPYABLE[name]
    probed = await SandboxedMediaTools().probe(clip(folder, file, *arguments, mime_type="video/any"))
    assert probed.width
    assert not probed.video_copyable


async def test_long_video_with_frequent_keyframes_is_copyable(folder: Path) -> None:
    arguments = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5", "-t", "30", *H264, "-g", "40")
    assert (await SandboxedMediaTools().probe(clip(folder, "long.mp4", *arguments))).video_copyable


async def test_the_poster_of_a_video_with_a_dark_start_is_a_later_frame(folder: Path) -> None:
    bright = "color=black:size=320x180:rate=10,drawbox=x=0:w=160:c=white:t=fill:enable='gt(t,5)'"
    given = clip(folder, "dark.mp4", "-f", "lavfi", "-i", bright, "-t", "20", *H264, "-g", "10")
    (made,) = await SandboxedMediaTools().thumbnails(given, sizes=[256])
    assert has_colour(WHITE, decoded(made), (50, 70), tolerance=25)


async def test_a_dark_video_has_a_dark_poster(folder: Path) -> None:
    given = clip(folder, "night.mp4", "-f", "lavfi", "-i", "color=black:size=320x180:rate=10", "-t", "3", *H264)
    assert await SandboxedMediaTools().thumbnails(given, sizes=SIZES)


async def test_the_sprite_of_a_short_video_has_a_tile_per_second(folder: Path) -> None:
    halves = "color=red:size=320x180:rate=10,drawbox=w=320:h=180:c=blue:t=fill:enable='gt(t,2.95)'"
    given = clip(folder, "glance.mp4", "-f", "lavfi", "-i", halves, "-t", "6", *H264, "-g", "1000")
    sprite = await SandboxedMediaTools().sprite(given)
    assert (6, 6, 160, 90, 1000) == (
        sprite.columns,
        sprite.count,
        sprite.tile_width,
        sprite.tile_height,
        sprite.interval_ms,
    )
    whole = decoded(sprite.data)
    assert (6 * 160, 90) == whole.size
    assert has_colour(RED, whole, (2 * 160 + 80, 45), tolerance=25)
    assert has_colour(BLUE, whole, (3 * 160 + 80, 45), tolerance=25)


async def test_the_sprite_of_a_long_video_shows_its_keyframes(folder: Path) -> None:
    colour = "color={}:size=1280x720:rate=25:d=110"
    pictures = ("-f", "lavfi", "-i", colour.format("red"), "-f", "lavfi", "-i", colour.format("blue"))
    join = ("-filter_complex", "concat", *H264, "-g", "100")
    given = clip(folder, "longer.mp4", *pictures, *join)
    sprite = await SandboxedMediaTools().sprite(given)
    assert (10, 100, 2200) == (sprite.columns, sprite.count, sprite.interval_ms)
    whole = decoded(sprite.data)
    assert (1600, 90 * -(-sprite.count // 10)) == whole.size
    assert has_colour(RED, whole, (80, 45), tolerance=25)
    last_row, last_column = divmod(sprite.count - 1, 10)
    assert has_colour(BLUE, whole, (last_column * 160 + 80, last_row * 90 + 45), tolerance=25)


async def test_the_poster_of_hdr_video_is_mapped_to_sdr(folder: Path) -> None:
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    grey = ("-f", "lavfi", "-i", "color=0x949494:size=320x180", "-frames:v", "5")
    (made,) = await SandboxedMediaTools().thumbnails(clip(folder, "hdr.mp4", *grey, *_TEN_BITS, *tags), sizes=[256])
    red, green, blue = decoded(made).convert("RGB").resize((1, 1)).tobytes()
    assert max(red, green, blue) - min(red, green, blue) < 12


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A server that nothing may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


_MANIFEST = (
    b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S">'
    b'<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>ADDRESS</BaseURL>'
    b"</Representation></AdaptationSet></Period></MPD>"
)
_HARMFUL = {
    "no bytes": b"",
    "text": b"hello world " * 100,
    "half an mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08free",
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nADDRESS\n#EXT-X-ENDLIST\n",
    "concatenation": b"ffconcat version 1.0\nfile 'ADDRESS'\n",
    "manifest": _MANIFEST,
    "description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "redirection": b"[Reference]\nRef1=ADDRESS\n",
}


@pytest.mark.parametrize("name", _HARMFUL)
async def test_references_to_other_files_and_servers_are_refused(
    name: str, folder: Path, canary: socket.socket
) -> None:
    make_clip(folder / "secret.mp4", *VIDEO, *H264)
    tools, url = SandboxedMediaTools(), f"http://127.0.0.1:{canary.getsockname()[1]}/a.mp4"
    for address in (f"file://{folder}/secret.mp4", f"{folder}/secret.mp4", url):
        given = source(_HARMFUL[name].replace(b"ADDRESS", address.encode()), "video/mp4")
        for work in (tools.probe, tools.sprite):
            with pytest.raises(MediaRefusedError, match=r"^The film is damaged, or its format is not supported\.$"):
                await work(given)
        if b"ADDRESS" not in _HARMFUL[name]:
            break
    with pytest.raises(BlockingIOError):
        canary.accept()


async def test_a_video_without_its_moov_box_is_refused(folder: Path) -> None:
    whole = make_clip(folder / "whole.mp4", *VIDEO, *H264)
    assert b"moov" in whole[-4000:]
    given = source(whole[: whole.rindex(b"moov") - 4], "video/mp4")
    with pytest.raises(MediaRefusedError, match="damaged"):
        await SandboxedMediaTools().probe(given)


async def test_a_truncated_video_is_shown_as_far_as_it_goes(folder: Path) -> None:
    whole = make_clip(folder / "fast.mp4", *VIDEO, *H264, "-movflags", "+faststart")
    tools, given = SandboxedMediaTools(), source(whole[: len(whole) // 2], "video/mp4")
    assert 320 == (await tools.probe(given)).width
    assert await tools.thumbnails(given, sizes=SIZES)
    assert 2 == (await tools.sprite(given)).count


async def test_a_video_without_frames_is_refused(folder: Path) -> None:
    tools, given = SandboxedMediaTools(), clip(folder, "none.mp4", *VIDEO, "-frames:v", "0", *H264)
    for work in (tools.probe(given), tools.thumbnails(given, sizes=SIZES), tools.sprite(given)):
        with pytest.raises(MediaRefusedError):
            await work


async def test_a_duration_that_the_header_lacks_is_measured(folder: Path) -> None:
    """Recordings made by browsers lack it, since browsers cannot rewrite the header."""
    make_clip(folder / "recorded.mkv", *VIDEO, *H264, "-f", "matroska", "-live", "1")
    tools, given = SandboxedMediaTools(), source((folder / "recorded.mkv").read_bytes(), "video/webm")
    probed = await tools.probe(given)
    assert probed.duration_ms in range(1900, 2200)
    assert 2 == (await tools.sprite(given)).count
    assert await tools.thumbnails(given, sizes=SIZES)


async def test_an_audio_file_has_no_size_and_no_thumbnail(folder: Path) -> None:
    audio = ["-f", "lavfi", "-i", "sine", "-t", "1", "-c:a", "aac"]
    tools, given = SandboxedMediaTools(), clip(folder, "audio.mp4", *audio)
    probed = await tools.probe(given)
    assert (None, None, None, "aac") == (probed.width, probed.frame_rate, probed.video_codec, probed.audio_codec)
    for work in (tools.thumbnails(given, sizes=SIZES), tools.sprite(given)):
        with pytest.raises(NoPictureError):
            await work
