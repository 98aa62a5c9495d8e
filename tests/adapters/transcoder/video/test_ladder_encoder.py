"""The rungs of a ladder have the same frames, times and segment boundaries in every size."""

from collections.abc import Callable

import pytest
from av.video.frame import VideoFrame
from PIL import Image, ImageOps

from metastore.adapters.sandbox.orientation import UPRIGHT, orientation_of
from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.transcoder import Job, Segment, VideoRendition
from tests.adapters.transcoder.transcoding import (
    AUDIO_COPIED,
    AUDIO_ENCODED,
    COPIED,
    RUNGS,
    SAME,
    SHIFT,
    SMALL,
    lengths,
    packets,
    source,
    times,
    transcode,
    transcode_beginning,
    video_frames,
)
from tests.fixtures.media import ORIENTATIONS, with_orientation

Clip = Callable[[str], bytes]
_ORIENTATION = 0x0112
_MAX_DIFFERENCE = 6
"""Mean difference in brightness between frames of different times."""
_SMALL = Job(rungs=[SMALL])
_MIDDLE = VideoRendition("middle", 240, 136, 300_000)


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "29.97 in mkv",
        "varying",
        "hevc",
        "flash in webm",
        "interlaced",
        "one frame",
        "open groups",
        "in fragments",
    ],
)
async def test_every_frame_is_encoded_with_its_time(clip: Clip, name: str) -> None:
    made = await transcode(clip(name), RUNGS)
    expected = [pytest.approx(at + SHIFT, abs=0.0001) for at in times(clip(name))]
    for rendition in made.values():
        assert expected == times(rendition.file())


async def test_segments_start_every_four_seconds_with_a_keyframe(clip: Clip) -> None:
    made = await transcode(clip("plain"), RUNGS)
    for rendition in made.values():
        assert [4.0, 4.0, 2.0] == lengths(rendition.segments)
        for number in range(3):
            assert [True] == [is_key for _, _, is_key in packets(rendition.alone(number)) if is_key]
            assert SHIFT + 4 * number == times(rendition.alone(number))[0]
        decoded = [at for at, _, _ in packets(rendition.file())]
        assert sorted(set(decoded)) == decoded


@pytest.mark.parametrize("name", ["plain", "29.97 in mkv", "varying", "late picture", "late picture in mkv"])
async def test_segments_start_where_those_of_the_copied_video_do(clip: Clip, name: str) -> None:
    copied = (await transcode(clip(name), COPIED))["copied"]
    cuts = [segment.start_us for segment in copied.segments]
    made = await transcode(clip(name), Job(rungs=RUNGS.rungs, cuts_us=cuts))
    for rendition in made.values():
        assert cuts == [segment.start_us for segment in rendition.segments]
        for number in range(len(cuts)):
            assert times(rendition.alone(number))[0] == pytest.approx(times(copied.alone(number))[0], abs=1e-6)


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize(
    "name", ["plain", "29.97 in mkv", "varying", "rare keyframes", "flash in ts", "still", "very late picture"]
)
async def test_a_resumed_job_continues_exactly_where_it_was_interrupted(clip: Clip, name: str, first: int) -> None:
    whole = (await transcode(clip(name), _SMALL))["small"]
    rest = (await transcode(clip(name), Job(rungs=_SMALL.rungs, first=first)))["small"]
    assert whole.started == rest.started
    described = [(one.number, one.start_us, one.duration_us) for one in whole.segments]
    assert described[first:] == [(one.number, one.start_us, one.duration_us) for one in rest.segments]
    shown = times(whole.file())
    whole.segments[first:] = rest.segments
    decoded = [at for at, _, _ in packets(whole.file())]
    assert sorted(set(decoded)) == decoded
    assert shown == times(whole.file())


@pytest.mark.parametrize(
    "name",
    ["plain", "29.97 in mkv", "varying", "rare keyframes", "flash in ts", "still", "late picture", "very late picture"],
)
async def test_a_job_that_stops_early_is_continued_by_another_one(clip: Clip, name: str) -> None:
    whole = (await transcode(clip(name), _SMALL))["small"]
    beginning = await transcode_beginning(clip(name), Job(rungs=_SMALL.rungs, until=1))
    assert whole.started == beginning.started
    assert not beginning.has_ended
    described = [(one.number, one.start_us, one.duration_us) for one in whole.segments]
    assert described[:1] == [(one.number, one.start_us, one.duration_us) for one in beginning.segments]
    shown = times(whole.file())
    whole.segments[:1] = beginning.segments
    decoded = [at for at, _, _ in packets(whole.file())]
    assert sorted(set(decoded)) == decoded
    assert shown == times(whole.file())


async def test_the_beginning_of_a_video_is_ready_before_all_of_its_audio_is_read(clip: Clip) -> None:
    job = Job(audio=AUDIO_COPIED.audio, rungs=_SMALL.rungs, until=1)
    work = SandboxedTranscoder().make(source(clip("plain")), job)
    outputs = [(one.rendition, one.number) async for one in work if isinstance(one, Segment)]
    assert outputs.index(("small", 0)) < outputs.index(("sound", 2))
    assert [("small", 0)] == [output for output in outputs if output[0] == "small"]


async def test_a_job_that_would_stop_after_the_end_ends_the_rendition(clip: Clip) -> None:
    small = (await transcode(clip("one frame"), Job(rungs=_SMALL.rungs, until=1)))["small"]
    assert 1 == len(small.segments)


async def test_a_job_resumed_after_the_last_segment_emits_none(clip: Clip) -> None:
    cuts = [0, 4_500_000, 9_000_000]
    made = await transcode(clip("plain"), Job(rungs=RUNGS.rungs, cuts_us=cuts, first=3))
    assert [[], []] == [rendition.segments for rendition in made.values()]


async def test_a_long_still_is_repeated_at_segment_boundaries(clip: Clip) -> None:
    """With a frame every seven seconds, no segment may be longer than the playlist says."""
    small = (await transcode(clip("still"), _SMALL))["small"]
    assert [4.0] * 7 == lengths(small.segments)
    assert 4 == small.started.target_seconds
    assert {0.0, 4.0, 7.0, 8.0, 12.0, 14.0, 16.0, 20.0, 21.0, 24.0} == {at - SHIFT for at in times(small.file())}


@pytest.mark.parametrize("name", ["late picture", "late picture in mkv", "very late picture"])
async def test_late_video_shows_its_first_frame_from_the_start(clip: Clip, name: str) -> None:
    """The frame is repeated at every segment boundary."""
    small = (await transcode(clip(name), _SMALL))["small"]
    shown, expected = times(small.file()), times(clip(name))
    before = [at for at in (0, 4, 8, 12) if at < expected[0]]
    assert [*before, *(pytest.approx(at, abs=0.0006) for at in expected)] == [at - SHIFT for at in shown]
    assert sum(lengths(small.segments)) == pytest.approx(expected[-1] + 1 / 30, abs=0.001)


@pytest.mark.parametrize("name", ["long sound", "short sound"])
async def test_video_and_audio_keep_their_own_durations(clip: Clip, name: str) -> None:
    made = await transcode(clip(name), Job(rungs=_SMALL.rungs, audio=AUDIO_ENCODED.audio))
    ends = {rendition: sum(lengths(one.segments)) for rendition, one in made.items()}
    video, audio = (3, 9) if name == "long sound" else (9, 2)
    assert {"small": pytest.approx(video, abs=0.05), "sound": pytest.approx(audio, abs=0.05)} == ends


@pytest.mark.parametrize("orientation", ORIENTATIONS)
async def test_a_video_is_rotated_and_mirrored_as_recorded(clip: Clip, orientation: int) -> None:
    """The top left quarter of the clip is white."""
    landscape = Image.new("L", (160, 90))
    landscape.paste(255, (0, 0, 80, 45))
    landscape.getexif()[_ORIENTATION] = orientation
    expected = ImageOps.exif_transpose(landscape)
    rung = VideoRendition("up", *expected.size, 200_000)
    made = await transcode(with_orientation(clip("corner"), orientation), Job(rungs=[rung]))
    frame = video_frames(made["up"].file())[0][1]
    assert (*expected.size, UPRIGHT) == (frame.width, frame.height, orientation_of(frame))
    found: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
    assert _corners(expected) == _corners(found.convert("L"))


def _corners(picture: Image.Image) -> list[bool]:
    """Return which quarters are white."""
    return [value > 128 for value in picture.resize((2, 2), Image.Resampling.BOX).tobytes()]


@pytest.mark.parametrize("name", ["odd", "anamorphic", "hevc"])
async def test_output_has_eight_bits_and_square_pixels(clip: Clip, name: str) -> None:
    made = await transcode(clip(name), Job(rungs=[SAME]))
    frame = video_frames(made["same"].file())[0][1]
    assert (320, 180, "yuv420p") == (frame.width, frame.height, frame.format.name)
    assert "avc1.64000d" == made["same"].started.codecs


async def test_hdr_is_mapped_to_sdr(clip: Clip) -> None:
    """The brightness is in the range of SDR screens, and the output is tagged as BT.709."""
    frame = video_frames((await transcode(clip("hdr"), Job(rungs=[SAME])))["same"].file())[0][1]
    assert (320, 180, "yuv420p") == (frame.width, frame.height, frame.format.name)
    assert (1, 1, 1) == (frame.colorspace, frame.color_primaries, frame.color_trc)
    luma = bytes(frame.reformat(format="gray").planes[0])
    assert 90 < sum(luma) / len(luma) < 170


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("white paper in PQ", 0.903),
        ("white paper in PQ for a bright screen", 0.825),
        ("white paper in HLG", 0.903),
        ("grey in a wide gamut", 0.5),
    ],
)
async def test_grey_of_hdr_has_the_brightness_that_the_standards_give_it(clip: Clip, name: str, signal: float) -> None:
    """Mapped by ITU-R BT.2390 from a screen of 1,000 cd/m², or of 4,000 if the film says so."""
    frame = video_frames((await transcode(clip(name), Job(rungs=[SAME])))["same"].file())[-1][1]
    first_pixel = bytes(frame.reformat(format="rgb24").planes[0])[:3]
    assert [255 * signal] * 3 == pytest.approx(list(first_pixel), abs=3)


async def test_encoding_continues_after_a_damaged_part(clip: Clip) -> None:
    whole = clip("plain")
    middle = len(whole) // 2
    small = (await transcode(whole[:middle] + bytes(30_000) + whole[middle + 30_000 :], _SMALL))["small"]
    assert [4.0, 4.0, 2.0] == lengths(small.segments)


async def test_a_truncated_video_is_encoded_as_far_as_it_goes(clip: Clip) -> None:
    whole = clip("moov first")
    small = (await transcode(whole[: len(whole) * 3 // 4], _SMALL))["small"]
    assert 4.0 == lengths(small.segments)[0]
    assert 100 < len(times(small.file())) < 180


@pytest.mark.parametrize("name", ["plain", "varying"])
async def test_every_rung_shows_the_frames_of_the_source_at_their_times(clip: Clip, name: str) -> None:
    """Although rungs are encoded in parallel, none gets the frames of another rung or time."""
    made = await transcode(clip(name), Job(rungs=[SAME, _MIDDLE, SMALL]))
    expected = [_downscaled(frame) for _, frame in video_frames(clip(name))]
    for rendition in made.values():
        shown = [_downscaled(frame) for _, frame in video_frames(rendition.file())]
        assert len(expected) == len(shown)
        same, next_frame = (sum(map(_difference, of, shown)) / len(shown) for of in (expected, expected[1:]))
        assert same < next_frame / 2
        assert max(map(_difference, expected, shown)) < _MAX_DIFFERENCE


def _downscaled(frame: VideoFrame) -> bytes:
    grey = frame.reformat(width=80, height=45, format="gray", interpolation="AREA").planes[0]
    return b"".join(bytes(grey)[row * grey.line_size :][:80] for row in range(45))


def _difference(some: bytes, others: bytes) -> float:
    return sum(abs(one - other) for one, other in zip(some, others, strict=True)) / len(some)
