"""Audio files are probed, and represented by a waveform and their cover."""

from pathlib import Path

import pytest
from PIL import Image

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import MediaRefusedError, Source
from tests.adapters.media_tools.sample_files import decoded, has_colour, source
from tests.fixtures.media import make_clip

GROWING = ("-f", "lavfi", "-i", "aevalsrc=exprs='sin(2*PI*440*t)*t/4|0.1*sin(2*PI*440*t)':d=4:sample_rate=44100")
RED = (254, 0, 0)


def audio(path: Path, *arguments: str, mime_type: str = "audio/any") -> Source:
    return source(make_clip(path, *arguments), mime_type)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "m4a", "ogg", "opus", "aiff", "mka", "aac"])
async def test_an_audio_file_is_probed_and_has_a_waveform(kind: str, tmp_path: Path) -> None:
    encoding = {"opus": ("-c:a", "libopus"), "ogg": ("-c:a", "libvorbis"), "mka": ("-c:a", "pcm_f32le")}.get(kind, ())
    tools, given = SandboxedMediaTools(), audio(tmp_path / f"a.{kind}", *GROWING, *encoding)
    probed = await tools.probe(given)
    assert probed.duration_ms in range(3700, 4400)
    assert (None, 2, False) == (probed.width, probed.audio_tracks[0].channels, probed.has_cover)
    waveform = await tools.waveform(given, points=8)
    # The volume increases from an eighth to full scale.
    assert all(abs(peak - 32 * (index + 1)) < 20 for index, peak in enumerate(waveform))


async def test_a_waveform_has_the_requested_number_of_points(tmp_path: Path) -> None:
    given = audio(tmp_path / "a.wav", "-f", "lavfi", "-i", "sine=sample_rate=8000", "-t", "0.1")
    for points in (1, 7, 1000, 5000):
        assert points == len(await SandboxedMediaTools().waveform(given, points=points))


async def test_the_waveform_of_silence_is_zero(tmp_path: Path) -> None:
    given = audio(tmp_path / "a.wav", "-f", "lavfi", "-i", "anullsrc", "-t", "1")
    assert bytes(20) == await SandboxedMediaTools().waveform(given, points=20)


async def test_samples_that_are_not_a_number_are_ignored(tmp_path: Path) -> None:
    """Floating-point samples may be NaN."""
    content = make_clip(tmp_path / "a.wav", *GROWING, "-c:a", "pcm_f32le")
    broken = content[:4000] + b"\0\0\xc0\x7f" * 1000 + content[8000:]
    waveform = await SandboxedMediaTools().waveform(source(broken, "audio/wav"), points=4)
    assert list(waveform) == sorted(waveform)


async def test_the_waveform_of_a_video_is_that_of_its_audio(tmp_path: Path) -> None:
    video = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10"]
    given = audio(tmp_path / "a.mp4", *video, *GROWING, "-t", "4", "-c:v", "libx264", "-c:a", "aac")
    waveform = await SandboxedMediaTools().waveform(given, points=4)
    assert list(waveform) == sorted(waveform)
    assert waveform[-1] > 230


@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a"])
async def test_the_thumbnail_of_an_audio_file_is_its_cover(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (600, 600), "red").save(tmp_path / "cover.png")
    cover = ("-i", str(tmp_path / "cover.png"), "-map", "0:a", "-map", "1:v", "-c:v", "mjpeg")
    given = audio(tmp_path / f"a.{kind}", *GROWING, *cover, "-disposition:v", "attached_pic")
    tools = SandboxedMediaTools()
    probed = await tools.probe(given)
    assert (None, None, True) == (probed.width, probed.video_codec, probed.has_cover)
    small, large = map(decoded, await tools.thumbnails(given, sizes=[256, 1024]))
    assert ((256, 256), (600, 600)) == (small.size, large.size)
    assert has_colour(RED, small, (100, 100), tolerance=20)
    assert 4 == len(await tools.waveform(given, points=4))


@pytest.mark.parametrize("content", [b"", b"ID3" + bytes(5000), b"hello" * 1000])
async def test_a_file_without_audio_is_refused(content: bytes) -> None:
    with pytest.raises(MediaRefusedError, match=r"^(The|There) .*\.$"):
        await SandboxedMediaTools().waveform(source(content, "audio/mpeg"), points=10)
