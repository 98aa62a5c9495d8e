"""All rungs come of one decoding, alike in everything but size."""

from collections.abc import Callable

import pytest
from av.video.frame import VideoFrame
from PIL import Image, ImageOps

from metastore.adapters.sandbox.turning import AS_IT_IS, turn_of
from metastore.ports.transcoder import Job, VideoRendition
from tests.adapters.transcoder.making import (
    COPIED,
    RUNGS,
    SAME,
    SHIFT,
    SMALL,
    SOUND,
    lengths,
    made_of,
    packets,
    pictures,
    times,
)
from tests.fixtures.media import ORIENTATIONS, turned

Clip = Callable[[str], bytes]
_ORIENTATION = 0x0112
_FAR_OFF = 6
"""Shades of grey that pictures of other moments are apart by, on the average."""
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
async def test_every_frame_is_there_at_its_time(clip: Clip, name: str) -> None:
    made = await made_of(clip(name), RUNGS)
    expected = [pytest.approx(at + SHIFT, abs=0.0001) for at in times(clip(name))]
    for rendition in made.values():
        assert expected == times(rendition.file())


async def test_rungs_are_cut_every_four_seconds_each_at_a_frame_that_stands_by_itself(clip: Clip) -> None:
    made = await made_of(clip("plain"), RUNGS)
    for rendition in made.values():
        assert [4.0, 4.0, 2.0] == lengths(rendition.segments)
        for number in range(3):
            assert [True] == [is_key for _, _, is_key in packets(rendition.alone(number)) if is_key]
            assert SHIFT + 4 * number == times(rendition.alone(number))[0]
        decoded = [at for at, _, _ in packets(rendition.file())]
        assert sorted(set(decoded)) == decoded


@pytest.mark.parametrize("name", ["plain", "29.97 in mkv", "varying", "late picture", "late picture in mkv"])
async def test_rungs_are_cut_where_the_copied_picture_is(clip: Clip, name: str) -> None:
    copied = (await made_of(clip(name), COPIED))["copied"]
    cuts = [segment.start_us for segment in copied.segments]
    made = await made_of(clip(name), Job(rungs=RUNGS.rungs, cuts_us=cuts))
    for rendition in made.values():
        assert cuts == [segment.start_us for segment in rendition.segments]
        for number in range(len(cuts)):
            assert times(rendition.alone(number))[0] == pytest.approx(times(copied.alone(number))[0], abs=1e-6)


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize(
    "name", ["plain", "29.97 in mkv", "varying", "rare keyframes", "flash in ts", "still", "very late picture"]
)
async def test_what_was_cut_off_goes_on_as_if_it_had_not_been(clip: Clip, name: str, first: int) -> None:
    whole = (await made_of(clip(name), _SMALL))["small"]
    rest = (await made_of(clip(name), Job(rungs=_SMALL.rungs, first=first)))["small"]
    assert whole.started == rest.started
    described = [(one.number, one.start_us, one.duration_us) for one in whole.segments]
    assert described[first:] == [(one.number, one.start_us, one.duration_us) for one in rest.segments]
    shown = times(whole.file())
    whole.segments[first:] = rest.segments
    decoded = [at for at, _, _ in packets(whole.file())]
    assert sorted(set(decoded)) == decoded
    assert shown == times(whole.file())


async def test_nothing_is_left_to_do_after_the_last_segment(clip: Clip) -> None:
    cuts = [0, 4_500_000, 9_000_000]
    made = await made_of(clip("plain"), Job(rungs=RUNGS.rungs, cuts_us=cuts, first=3))
    assert [[], []] == [rendition.segments for rendition in made.values()]


async def test_a_picture_that_stands_still_is_shown_again_at_cuts(clip: Clip) -> None:
    """A frame every seven seconds; no segment may be longer than the playlist says."""
    small = (await made_of(clip("still"), _SMALL))["small"]
    assert [4.0] * 7 == lengths(small.segments)
    assert 4 == small.started.target_seconds
    assert {0.0, 4.0, 7.0, 8.0, 12.0, 14.0, 16.0, 20.0, 21.0, 24.0} == {at - SHIFT for at in times(small.file())}


@pytest.mark.parametrize("name", ["late picture", "late picture in mkv", "very late picture"])
async def test_a_picture_that_begins_after_its_sound_is_there_from_the_beginning(clip: Clip, name: str) -> None:
    """Its first frame is shown until then, at every cut anew."""
    small = (await made_of(clip(name), _SMALL))["small"]
    shown, expected = times(small.file()), times(clip(name))
    before = [at for at in (0, 4, 8, 12) if at < expected[0]]
    assert [*before, *(pytest.approx(at, abs=0.0006) for at in expected)] == [at - SHIFT for at in shown]
    assert sum(lengths(small.segments)) == pytest.approx(expected[-1] + 1 / 30, abs=0.001)


@pytest.mark.parametrize("name", ["long sound", "short sound"])
async def test_picture_and_sound_each_last_as_long_as_they_do(clip: Clip, name: str) -> None:
    made = await made_of(clip(name), Job(rungs=_SMALL.rungs, audio=SOUND.audio))
    ends = {rendition: sum(lengths(one.segments)) for rendition, one in made.items()}
    seen, heard = (3, 9) if name == "long sound" else (9, 2)
    assert {"small": pytest.approx(seen, abs=0.05), "sound": pytest.approx(heard, abs=0.05)} == ends


@pytest.mark.parametrize("orientation", ORIENTATIONS)
async def test_a_picture_is_upright_and_mirrored_as_it_was_filmed(clip: Clip, orientation: int) -> None:
    """Its top left quarter is white."""
    lying = Image.new("L", (160, 90))
    lying.paste(255, (0, 0, 80, 45))
    lying.getexif()[_ORIENTATION] = orientation
    expected = ImageOps.exif_transpose(lying)
    rung = VideoRendition("up", *expected.size, 200_000)
    made = await made_of(turned(clip("corner"), orientation), Job(rungs=[rung]))
    frame = pictures(made["up"].file())[0][1]
    assert (*expected.size, AS_IT_IS) == (frame.width, frame.height, turn_of(frame))
    found: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # left untyped there
    assert _corners(expected) == _corners(found.convert("L"))


def _corners(picture: Image.Image) -> list[bool]:
    """Which quarters are white."""
    return [value > 128 for value in picture.resize((2, 2), Image.Resampling.BOX).tobytes()]


@pytest.mark.parametrize("name", ["odd", "anamorphic", "hevc"])
async def test_what_comes_of_any_picture_is_eight_bits_in_square_pixels(clip: Clip, name: str) -> None:
    made = await made_of(clip(name), Job(rungs=[SAME]))
    frame = pictures(made["same"].file())[0][1]
    assert (320, 180, "yuv420p") == (frame.width, frame.height, frame.format.name)
    assert "avc1.64000d" == made["same"].started.codecs


async def test_what_was_made_for_bright_screens_is_right_on_others(clip: Clip) -> None:
    """A grey that is told apart from white by its curve alone comes out where other screens have it."""
    frame = pictures((await made_of(clip("hdr"), Job(rungs=[SAME])))["same"].file())[0][1]
    assert (320, 180, "yuv420p") == (frame.width, frame.height, frame.format.name)
    assert (1, 1, 1) == (frame.colorspace, frame.color_primaries, frame.color_trc)
    luma = bytes(frame.reformat(format="gray").planes[0])
    assert 90 < sum(luma) / len(luma) < 170


async def test_a_film_with_a_hole_in_it_goes_on_after_it(clip: Clip) -> None:
    whole = clip("plain")
    middle = len(whole) // 2
    small = (await made_of(whole[:middle] + bytes(30_000) + whole[middle + 30_000 :], _SMALL))["small"]
    assert [4.0, 4.0, 2.0] == lengths(small.segments)


async def test_a_stream_without_an_end_gives_what_there_is(clip: Clip) -> None:
    whole = clip("moov first")
    small = (await made_of(whole[: len(whole) * 3 // 4], _SMALL))["small"]
    assert 4.0 == lengths(small.segments)[0]
    assert 100 < len(times(small.file())) < 180


@pytest.mark.parametrize("name", ["plain", "varying"])
async def test_every_size_shows_at_each_time_what_the_source_shows_then(clip: Clip, name: str) -> None:
    """Sizes are encoded side by side; none gets the frames of another, or of another time."""
    made = await made_of(clip(name), Job(rungs=[SAME, _MIDDLE, SMALL]))
    expected = [_glance(frame) for _, frame in pictures(clip(name))]
    for rendition in made.values():
        shown = [_glance(frame) for _, frame in pictures(rendition.file())]
        assert len(expected) == len(shown)
        then, a_frame_later = (sum(map(_difference, of, shown)) / len(shown) for of in (expected, expected[1:]))
        assert then < a_frame_later / 2
        assert max(map(_difference, expected, shown)) < _FAR_OFF


def _glance(frame: VideoFrame) -> bytes:
    grey = frame.reformat(width=80, height=45, format="gray", interpolation="AREA").planes[0]
    return b"".join(bytes(grey)[row * grey.line_size :][:80] for row in range(45))


def _difference(some: bytes, others: bytes) -> float:
    return sum(abs(one - other) for one, other in zip(some, others, strict=True)) / len(some)
