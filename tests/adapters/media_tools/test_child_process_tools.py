"""Children look into films and pictures, and no harm comes of it."""

import io
import os
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from metastore.adapters.media_tools import ChildProcessTools
from metastore.adapters.sandbox.process import Limits
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, Source


def source(content: bytes, mime_type: str) -> Source:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), mime_type)


def picture(kind: str = "JPEG", size: tuple[int, int] = (1200, 800), **options: object) -> bytes:
    encoded = io.BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(encoded, kind, **options)
    return encoded.getvalue()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"]
    command += ["-f", "lavfi", "-i", "sine", "-t", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*command, str(path)], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF"])
async def test_a_picture_is_measured_and_made_small(kind: str) -> None:
    tools, given = ChildProcessTools(), source(picture(kind), f"image/{kind.lower()}")
    facts = await tools.probe(given)
    assert (1200, 800) == (facts.width, facts.height)
    small = Image.open(io.BytesIO(await tools.thumbnail(given, size=256)))
    assert ("WEBP", (256, 171)) == (small.format, small.size)


async def test_a_picture_is_turned_as_its_camera_was_held_and_tells_nothing_more() -> None:
    about = Image.Exif()
    about[0x0112], about[0x010E] = 6, "taken at my home"
    small = await ChildProcessTools().thumbnail(source(picture(exif=about), "image/jpeg"), size=256)
    shown = Image.open(io.BytesIO(small))
    assert (171, 256) == shown.size
    assert not shown.getexif()
    assert b"my home" not in small


async def test_a_film_is_measured_and_a_frame_of_it_shown(film: bytes) -> None:
    tools, given = ChildProcessTools(), source(film, "video/mp4")
    facts = await tools.probe(given)
    assert (640, 360, "h264", "aac") == (facts.width, facts.height, facts.video_codec, facts.audio_codec)
    assert facts.duration_ms in range(1900, 2200)
    assert (256, 144) == Image.open(io.BytesIO(await tools.thumbnail(given, size=256))).size


async def test_half_a_picture_is_still_shown() -> None:
    whole = picture()
    assert await ChildProcessTools().thumbnail(source(whole[: len(whole) // 2], "image/jpeg"), size=256)


def _huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))


_SECRET = "the secret of the house"
_HARMFUL = {
    "no bytes": (b"", "image/png"),
    "text": (b"hello world " * 100, "image/jpeg"),
    "2.5 gigapixels": (_huge_png(), "image/png"),
    "svg called png": (b'<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>', "image/png"),
    "playlist": (b"#EXTM3U\n#EXTINF:10,\nfile://SECRET\n#EXT-X-ENDLIST\n", "video/mp4"),
    "concatenation": (b"ffconcat version 1.0\nfile SECRET\n", "video/mp4"),
    "half an mp4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08free", "video/mp4"),
}


@pytest.mark.parametrize("name", _HARMFUL)
async def test_what_is_made_to_do_harm_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(_SECRET)
    content, mime_type = _HARMFUL[name]
    given = source(content.replace(b"SECRET", os.fsencode(tmp_path / "secret")), mime_type)
    for work in (ChildProcessTools().probe(given), ChildProcessTools().thumbnail(given, size=256)):
        with pytest.raises(MediaRefusedError, match=r"^(The|There) .*\.$"):
            await work


async def test_a_child_that_runs_out_of_memory_is_a_failure_that_may_pass() -> None:
    tools = ChildProcessTools(Limits(memory=64 * 2**20))
    with pytest.raises(MediaToolError):
        await tools.thumbnail(source(picture(size=(4000, 4000)), "image/jpeg"), size=256)
