"""Audio renditions, copied and encoded, are in sync with the video."""

import math
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest

from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.transcoder import AudioRendition, Job, Segment
from tests.adapters.transcoder.transcoding import (
    AUDIO_COPIED,
    AUDIO_ENCODED,
    RUNGS,
    SHIFT,
    audio_frames,
    beep,
    flash,
    lengths,
    source,
    times,
    transcode,
    transcode_one,
)
from tests.fixtures.media import make_clip

Clip = Callable[[str], bytes]
_A_FRAME = 1 / 30


@pytest.mark.parametrize("job", [AUDIO_ENCODED, AUDIO_COPIED], ids=["encoded", "copied"])
@pytest.mark.parametrize("name", ["flash", "flash in mkv", "flash in webm", "flash in ts"])
async def test_audio_and_video_are_in_sync(clip: Clip, name: str, job: Job) -> None:
    made = await transcode(clip(name), Job(rungs=RUNGS.rungs, audio=job.audio))
    seen, heard = flash(made["small"].file()), beep(made["sound"].file())
    assert abs(seen - heard) < _A_FRAME / 2
    assert SHIFT + 3 == pytest.approx(seen, abs=0.03)


@pytest.mark.parametrize("job", [AUDIO_ENCODED, AUDIO_COPIED], ids=["encoded", "copied"])
async def test_late_audio_is_preceded_by_silence(clip: Clip, job: Job) -> None:
    sound = (await transcode_one(clip("late sound"), job)).file()
    assert SHIFT + 4 == pytest.approx(beep(sound), abs=0.005)
    assert SHIFT == pytest.approx(audio_frames(sound)[0][0], abs=0.03)


@pytest.mark.parametrize("job", [AUDIO_ENCODED, AUDIO_COPIED], ids=["encoded", "copied"])
async def test_audio_segments_last_about_four_seconds_without_gaps(clip: Clip, job: Job) -> None:
    sound = await transcode_one(clip("sound alone"), job)
    assert [4, 4, 1] == [round(length) for length in lengths(sound.segments)]
    assert ("mp4a.40.2", 4) == (sound.started.codecs, sound.started.target_seconds)
    heard = audio_frames(sound.file())
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(heard)]
    assert all(gap == pytest.approx(1024 / 48_000, abs=1e-6) for gap in gaps)
    assert heard[-1][0] + 1024 / 48_000 == pytest.approx(SHIFT + 9, abs=0.03)


async def test_video_and_audio_segments_are_emitted_alternately(clip: Clip) -> None:
    transcoder = SandboxedTranscoder()
    async with aclosing(transcoder.make(source(clip("plain")), Job("copied", AUDIO_COPIED.audio))) as outputs:
        order = [(output.rendition, output.number) async for output in outputs if isinstance(output, Segment)]
    assert [("copied", 0), ("copied", 1), ("copied", 2)] == [one for one in order if one[0] == "copied"]
    assert order.index(("sound", 0)) < order.index(("copied", 1)) < order.index(("sound", 2))


async def test_audio_is_encoded_across_a_change_of_channels(joined_clip: bytes) -> None:
    made = await transcode(joined_clip, Job(audio=AUDIO_ENCODED.audio, rungs=RUNGS.rungs))
    heard = audio_frames(made["sound"].file())
    assert heard[-1][0] == pytest.approx(SHIFT + 6, abs=0.1)
    assert times(made["small"].file())[-1] == pytest.approx(SHIFT + 6, abs=0.1)
    late = [frame for at, frame in heard if at > SHIFT + 3.5]
    assert any(abs(sample) > 0.05 for frame in late for sample in memoryview(bytes(frame.planes[0])).cast("f"))


async def test_each_track_of_any_codec_becomes_a_stereo_rendition(clip: Clip) -> None:
    tracks = [AudioRendition(f"a{index}", index, copy=True) for index in range(3)]
    made = await transcode(clip("audio tracks"), Job(audio=tracks))
    assert ["a0", "a1", "a2"] == list(made)
    for rendition in made.values():
        heard = audio_frames(rendition.file())
        assert {("stereo", 48_000)} == {(frame.layout.name, frame.sample_rate) for _, frame in heard}
        assert heard[-1][0] == pytest.approx(SHIFT + 9, abs=0.06)
        assert beep(rendition.file()) == pytest.approx(SHIFT, abs=0.02)


@pytest.mark.parametrize("rate", ["48000", "22050", "8000"])
async def test_mono_is_as_loud_encoded_as_copied(tmp_path: Path, rate: str) -> None:
    tone = ["-f", "lavfi", "-i", f"sine=sample_rate={rate}:duration=2", "-af", "volume=4", "-c:a", "aac", "-b:a", "64k"]
    mono = make_clip(tmp_path / "mono.m4a", *tone)
    copied, encoded = [(await transcode_one(mono, job)).file() for job in (AUDIO_COPIED, AUDIO_ENCODED)]
    assert (1, 2) == tuple(audio_frames(one)[0][1].layout.nb_channels for one in (copied, encoded))
    assert _loudness(copied) == pytest.approx(_loudness(encoded), rel=0.02)


async def test_channels_without_a_layout_are_mixed(tmp_path: Path) -> None:
    """Here six channels, in a file that does not say which is which."""
    six = ["-f", "lavfi", "-i", "sine=duration=2", "-af", "pan=5.1|c2=c0", "-c:a", "pcm_s16le"]
    wave = bytearray(make_clip(tmp_path / "six.wav", *six))
    at = wave.index(b"fmt ") + 8 + 20
    wave[at : at + 4] = bytes(4)
    sound = (await transcode_one(bytes(wave), AUDIO_ENCODED)).file()
    assert audio_frames(sound)[-1][0] == pytest.approx(SHIFT + 2, abs=0.06)
    assert _loudness(sound) > 0.01


def _loudness(content: bytes) -> float:
    """Return the RMS of the middle second."""
    heard = [frame for at, frame in audio_frames(content) if SHIFT + 0.5 < at < SHIFT + 1.5]
    samples = [sample for frame in heard for sample in memoryview(bytes(frame.planes[0])).cast("f")]
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


async def test_a_damaged_part_becomes_silence_and_audio_stays_in_sync(clip: Clip) -> None:
    whole = clip("flash in mkv")
    start = len(whole) // 4
    damaged = whole[:start] + bytes(4000) + whole[start + 4000 :]
    made = await transcode(damaged, Job(rungs=RUNGS.rungs, audio=AUDIO_ENCODED.audio))
    assert abs(flash(made["small"].file()) - beep(made["sound"].file())) < _A_FRAME


async def test_audio_that_an_edit_list_skips_is_not_emitted(trimmed_clip: bytes) -> None:
    sound = await transcode_one(trimmed_clip, AUDIO_COPIED)
    first = audio_frames(sound.alone(0))[0][0]
    assert SHIFT - 2 * 1024 / 48_000 <= first <= SHIFT
    assert sound.segments[0].duration_us / 1_000_000 == pytest.approx(
        audio_frames(sound.alone(1))[0][0] - first, abs=0.05
    )
