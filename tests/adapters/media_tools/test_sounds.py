"""Sounds are measured, and seen as waves and covers."""

from pathlib import Path

import pytest
from PIL import Image

from metastore.adapters.media_tools.tools import ChildProcessTools
from metastore.ports.media_tools import MediaRefusedError, Source
from tests.adapters.media_tools.given import near, shown, source
from tests.fixtures.media import make_clip

GROWING = ("-f", "lavfi", "-i", "aevalsrc=exprs='sin(2*PI*440*t)*t/4|0.1*sin(2*PI*440*t)':d=4:sample_rate=44100")
RED = (254, 0, 0)


def sound(path: Path, *arguments: str, mime_type: str = "audio/any") -> Source:
    return source(make_clip(path, *arguments), mime_type)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "m4a", "ogg", "opus", "aiff", "mka", "aac"])
async def test_a_sound_is_measured_and_seen_as_a_wave(kind: str, tmp_path: Path) -> None:
    encoding = {"opus": ("-c:a", "libopus"), "ogg": ("-c:a", "libvorbis"), "mka": ("-c:a", "pcm_f32le")}.get(kind, ())
    tools, given = ChildProcessTools(), sound(tmp_path / f"a.{kind}", *GROWING, *encoding)
    facts = await tools.probe(given)
    assert facts.duration_ms in range(3700, 4400)
    assert (None, 2, False) == (facts.width, facts.audio_tracks[0].channels, facts.has_cover)
    wave = await tools.waveform(given, points=8)
    # Louder and louder, from an eighth to the whole.
    assert all(abs(byte - 32 * (place + 1)) < 20 for place, byte in enumerate(wave))


async def test_a_wave_has_as_many_points_as_asked_for(tmp_path: Path) -> None:
    given = sound(tmp_path / "a.wav", "-f", "lavfi", "-i", "sine=sample_rate=8000", "-t", "0.1")
    for points in (1, 7, 1000, 5000):
        assert points == len(await ChildProcessTools().waveform(given, points=points))


async def test_silence_is_a_flat_line(tmp_path: Path) -> None:
    given = sound(tmp_path / "a.wav", "-f", "lavfi", "-i", "anullsrc", "-t", "1")
    assert bytes(20) == await ChildProcessTools().waveform(given, points=20)


async def test_what_is_not_a_number_is_no_noise(tmp_path: Path) -> None:
    """Samples in floating point may be anything."""
    content = make_clip(tmp_path / "a.wav", *GROWING, "-c:a", "pcm_f32le")
    broken = content[:4000] + b"\0\0\xc0\x7f" * 1000 + content[8000:]
    wave = await ChildProcessTools().waveform(source(broken, "audio/wav"), points=4)
    assert list(wave) == sorted(wave)


async def test_the_wave_of_a_film_is_that_of_its_sound(tmp_path: Path) -> None:
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10"]
    given = sound(tmp_path / "a.mp4", *picture, *GROWING, "-t", "4", "-c:v", "libx264", "-c:a", "aac")
    wave = await ChildProcessTools().waveform(given, points=4)
    assert list(wave) == sorted(wave)
    assert wave[-1] > 230


@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a"])
async def test_a_sound_shows_its_cover(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (600, 600), "red").save(tmp_path / "cover.png")
    cover = ("-i", str(tmp_path / "cover.png"), "-map", "0:a", "-map", "1:v", "-c:v", "mjpeg")
    given = sound(tmp_path / f"a.{kind}", *GROWING, *cover, "-disposition:v", "attached_pic")
    tools = ChildProcessTools()
    facts = await tools.probe(given)
    assert (None, None, True) == (facts.width, facts.video_codec, facts.has_cover)
    small, large = map(shown, await tools.thumbnails(given, sizes=[256, 1024]))
    assert ((256, 256), (600, 600)) == (small.size, large.size)
    assert near(RED, small, (100, 100), by=20)
    assert 4 == len(await tools.waveform(given, points=4))


@pytest.mark.parametrize("content", [b"", b"ID3" + bytes(5000), b"hello" * 1000])
async def test_what_is_no_sound_is_refused(content: bytes) -> None:
    with pytest.raises(MediaRefusedError, match=r"^(The|There) .*\.$"):
        await ChildProcessTools().waveform(source(content, "audio/mpeg"), points=10)
