"""Tracks of sound, as they are or as AAC, in time with the picture."""

import math
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest

from metastore.adapters.transcoder.transcoder import SandboxTranscoder
from metastore.ports.transcoder import AudioRendition, Job, Segment
from tests.adapters.transcoder.making import (
    RUNGS,
    SHIFT,
    SOUND,
    SOUND_AS_IT_IS,
    beep,
    flash,
    lengths,
    made_of,
    one_of,
    sounds,
    source,
    times,
)
from tests.fixtures.media import make_clip

Clip = Callable[[str], bytes]
_A_FRAME = 1 / 30


@pytest.mark.parametrize("job", [SOUND, SOUND_AS_IT_IS], ids=["encoded", "copied"])
@pytest.mark.parametrize("name", ["flash", "flash in mkv", "flash in webm", "flash in ts"])
async def test_what_happens_at_once_is_seen_and_heard_at_once(clip: Clip, name: str, job: Job) -> None:
    made = await made_of(clip(name), Job(rungs=RUNGS.rungs, audio=job.audio))
    seen, heard = flash(made["small"].file()), beep(made["sound"].file())
    assert abs(seen - heard) < _A_FRAME / 2
    assert SHIFT + 3 == pytest.approx(seen, abs=0.03)


@pytest.mark.parametrize("job", [SOUND, SOUND_AS_IT_IS], ids=["encoded", "copied"])
async def test_a_sound_that_begins_late_is_silent_until_then(clip: Clip, job: Job) -> None:
    sound = (await one_of(clip("late sound"), job)).file()
    assert SHIFT + 4 == pytest.approx(beep(sound), abs=0.005)
    assert SHIFT == pytest.approx(sounds(sound)[0][0], abs=0.03)


@pytest.mark.parametrize("job", [SOUND, SOUND_AS_IT_IS], ids=["encoded", "copied"])
async def test_sound_alone_is_cut_about_every_four_seconds_and_loses_nothing(clip: Clip, job: Job) -> None:
    sound = await one_of(clip("sound alone"), job)
    assert [4, 4, 1] == [round(length) for length in lengths(sound.segments)]
    assert ("mp4a.40.2", 4) == (sound.started.codecs, sound.started.target_seconds)
    heard = sounds(sound.file())
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(heard)]
    assert all(gap == pytest.approx(1024 / 48_000, abs=1e-6) for gap in gaps)
    assert heard[-1][0] + 1024 / 48_000 == pytest.approx(SHIFT + 9, abs=0.03)


async def test_picture_and_sound_come_side_by_side(clip: Clip) -> None:
    transcoder = SandboxTranscoder()
    async with aclosing(transcoder.make(source(clip("plain")), Job("copied", SOUND_AS_IT_IS.audio))) as outputs:
        order = [(output.rendition, output.number) async for output in outputs if isinstance(output, Segment)]
    assert [("copied", 0), ("copied", 1), ("copied", 2)] == [one for one in order if one[0] == "copied"]
    assert order.index(("sound", 0)) < order.index(("copied", 1)) < order.index(("sound", 2))


async def test_sound_that_changes_its_kind_on_the_way_is_heard_to_the_end(joined_clip: bytes) -> None:
    made = await made_of(joined_clip, Job(audio=SOUND.audio, rungs=RUNGS.rungs))
    heard = sounds(made["sound"].file())
    assert heard[-1][0] == pytest.approx(SHIFT + 6, abs=0.1)
    assert times(made["small"].file())[-1] == pytest.approx(SHIFT + 6, abs=0.1)
    late = [frame for at, frame in heard if at > SHIFT + 3.5]
    assert any(abs(sample) > 0.05 for frame in late for sample in memoryview(bytes(frame.planes[0])).cast("f"))


async def test_tracks_of_any_kind_become_stereo_of_their_own_renditions(clip: Clip) -> None:
    tracks = [AudioRendition(f"a{index}", index, copy=True) for index in range(3)]
    made = await made_of(clip("sounds"), Job(audio=tracks))
    assert ["a0", "a1", "a2"] == list(made)
    for rendition in made.values():
        heard = sounds(rendition.file())
        assert {("stereo", 48_000)} == {(frame.layout.name, frame.sample_rate) for _, frame in heard}
        assert heard[-1][0] == pytest.approx(SHIFT + 9, abs=0.06)
        assert beep(rendition.file()) == pytest.approx(SHIFT, abs=0.02)


@pytest.mark.parametrize("rate", ["48000", "22050", "8000"])
async def test_mono_is_as_loud_encoded_as_it_is_copied(tmp_path: Path, rate: str) -> None:
    tone = ["-f", "lavfi", "-i", f"sine=sample_rate={rate}:duration=2", "-af", "volume=4", "-c:a", "aac", "-b:a", "64k"]
    mono = make_clip(tmp_path / "mono.m4a", *tone)
    copied, encoded = [(await one_of(mono, job)).file() for job in (SOUND_AS_IT_IS, SOUND)]
    assert (1, 2) == tuple(sounds(one)[0][1].layout.nb_channels for one in (copied, encoded))
    assert _loudness(copied) == pytest.approx(_loudness(encoded), rel=0.02)


async def test_channels_of_no_known_place_are_heard(tmp_path: Path) -> None:
    """Six microphones, of which the file does not say where they were."""
    six = ["-f", "lavfi", "-i", "sine=duration=2", "-af", "pan=5.1|c2=c0", "-c:a", "pcm_s16le"]
    wave = bytearray(make_clip(tmp_path / "six.wav", *six))
    at = wave.index(b"fmt ") + 8 + 20
    wave[at : at + 4] = bytes(4)
    sound = (await one_of(bytes(wave), SOUND)).file()
    assert sounds(sound)[-1][0] == pytest.approx(SHIFT + 2, abs=0.06)
    assert _loudness(sound) > 0.01


def _loudness(content: bytes) -> float:
    """Of its middle, as the root of the mean square."""
    heard = [frame for at, frame in sounds(content) if SHIFT + 0.5 < at < SHIFT + 1.5]
    samples = [sample for frame in heard for sample in memoryview(bytes(frame.planes[0])).cast("f")]
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


async def test_a_hole_in_the_file_is_heard_as_silence_and_what_follows_comes_in_time(clip: Clip) -> None:
    whole = clip("flash in mkv")
    middle = len(whole) // 4
    holed = whole[:middle] + bytes(4000) + whole[middle + 4000 :]
    made = await made_of(holed, Job(rungs=RUNGS.rungs, audio=SOUND.audio))
    assert abs(flash(made["small"].file()) - beep(made["sound"].file())) < _A_FRAME


async def test_sound_that_was_cut_off_the_beginning_is_not_sent(trimmed_clip: bytes) -> None:
    sound = await one_of(trimmed_clip, SOUND_AS_IT_IS)
    first = sounds(sound.alone(0))[0][0]
    assert SHIFT - 2 * 1024 / 48_000 <= first <= SHIFT
    assert sound.segments[0].duration_us / 1_000_000 == pytest.approx(sounds(sound.alone(1))[0][0] - first, abs=0.05)
