"""Copied video is cut at keyframes, without encoding."""

import re
from collections.abc import Callable

import pytest

from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import NotCopyableError
from tests.adapters.transcoder.transcoding import (
    COPIED,
    SHIFT,
    lengths,
    packets,
    times,
    transcode,
    transcode_one,
)

Clip = Callable[[str], bytes]


@pytest.mark.parametrize("name", ["plain", "moov first", "in fragments", "29.97 in mkv", "varying"])
async def test_every_frame_is_copied_with_its_time(clip: Clip, name: str) -> None:
    copied = await transcode_one(clip(name), COPIED)
    assert [pytest.approx(at + SHIFT, abs=0.0006) for at in times(clip(name))] == times(copied.file())


@pytest.mark.parametrize("name", ["plain", "29.97 in mkv", "varying"])
async def test_decode_times_increase_and_do_not_exceed_presentation_times(clip: Clip, name: str) -> None:
    copied = packets((await transcode_one(clip(name), COPIED)).file())
    decoded = [at for at, _, _ in copied]
    assert sorted(set(decoded)) == decoded
    assert all(at <= shown for at, shown, _ in copied)


async def test_each_segment_can_be_decoded_alone(clip: Clip) -> None:
    copied = await transcode_one(clip("plain"), COPIED)
    assert [4.5, 4.5, 1.0] == lengths(copied.segments)
    assert [0, 4_500_000, 9_000_000] == [segment.start_us for segment in copied.segments]
    for number, segment in enumerate(copied.segments):
        alone = copied.alone(number)
        assert packets(alone)[0][2]
        assert times(alone)[0] == pytest.approx(SHIFT + segment.start_us / 1_000_000)
    assert 300 == sum(len(times(copied.alone(number))) for number in range(3))


async def test_the_attributes_for_the_playlist_are_emitted(clip: Clip) -> None:
    started = (await transcode_one(clip("plain"), COPIED)).started
    assert ("avc1.4d400d", 320, 180, 30.0, 5) == (
        started.codecs,
        started.width,
        started.height,
        started.frame_rate,
        started.target_seconds,
    )


async def test_without_an_index_the_target_duration_is_the_maximum(clip: Clip) -> None:
    assert 12 == (await transcode_one(clip("29.97 in mkv"), COPIED)).started.target_seconds


@pytest.mark.parametrize("name", ["late picture", "late picture in mkv"])
async def test_late_video_shows_its_first_frame_from_the_start(clip: Clip, name: str) -> None:
    """The frame is shown until the second one."""
    copied = await transcode_one(clip(name), COPIED)
    shown, expected = times(copied.file()), times(clip(name))
    assert expected[0] > 3.4
    assert SHIFT == shown[0]
    assert [pytest.approx(at + SHIFT, abs=0.0006) for at in expected[1:]] == shown[1:]
    assert 0 == copied.segments[0].start_us
    assert sum(lengths(copied.segments)) == pytest.approx(expected[-1] + 1 / 30, abs=0.001)


async def test_the_width_accounts_for_non_square_pixels(clip: Clip) -> None:
    copied = await transcode_one(clip("anamorphic"), COPIED)
    assert (320, 180) == (copied.started.width, copied.started.height)


@pytest.mark.parametrize(
    "name", ["rare keyframes", "very late picture", "hevc", "flash in ts", "open groups", "short open groups"]
)
async def test_video_that_cannot_be_copied_is_refused_as_such(clip: Clip, name: str) -> None:
    with pytest.raises(NotCopyableError, match=re.escape(ReasonCode.FILM_NOT_COPYABLE.sentence)):
        await transcode(clip(name), COPIED)
