"""The picture as it is, cut where it stands by itself."""

import re
from collections.abc import Callable

import pytest

from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import NotCopyableError
from tests.adapters.transcoder.making import COPIED, SHIFT, lengths, made_of, one_of, packets, times

Clip = Callable[[str], bytes]


@pytest.mark.parametrize("name", ["plain", "moov first", "in fragments", "29.97 in mkv", "varying"])
async def test_every_frame_is_there_at_its_time(clip: Clip, name: str) -> None:
    copied = await one_of(clip(name), COPIED)
    assert [pytest.approx(at + SHIFT, abs=0.0006) for at in times(clip(name))] == times(copied.file())


@pytest.mark.parametrize("name", ["plain", "29.97 in mkv", "varying"])
async def test_frames_are_decoded_one_after_another_and_none_after_it_is_shown(clip: Clip, name: str) -> None:
    of = packets((await one_of(clip(name), COPIED)).file())
    decoded = [at for at, _, _ in of]
    assert sorted(set(decoded)) == decoded
    assert all(at <= shown for at, shown, _ in of)


async def test_each_segment_can_be_decoded_alone_and_they_follow_one_another(clip: Clip) -> None:
    copied = await one_of(clip("plain"), COPIED)
    assert [4.5, 4.5, 1.0] == lengths(copied.segments)
    assert [0, 4_500_000, 9_000_000] == [segment.start_us for segment in copied.segments]
    for number, segment in enumerate(copied.segments):
        alone = copied.alone(number)
        assert packets(alone)[0][2]
        assert times(alone)[0] == pytest.approx(SHIFT + segment.start_us / 1_000_000)
    assert 300 == sum(len(times(copied.alone(number))) for number in range(3))


async def test_a_playlist_is_told_what_it_says(clip: Clip) -> None:
    started = (await one_of(clip("plain"), COPIED)).started
    assert ("avc1.4d400d", 320, 180, 30.0, 5) == (
        started.codecs,
        started.width,
        started.height,
        started.frame_rate,
        started.target_seconds,
    )


async def test_the_target_is_the_longest_there_can_be_where_no_index_tells(clip: Clip) -> None:
    assert 12 == (await one_of(clip("29.97 in mkv"), COPIED)).started.target_seconds


@pytest.mark.parametrize("name", ["late picture", "late picture in mkv"])
async def test_a_picture_that_begins_after_its_sound_is_there_from_the_beginning(clip: Clip, name: str) -> None:
    """Its first frame is shown until the second."""
    copied = await one_of(clip(name), COPIED)
    shown, expected = times(copied.file()), times(clip(name))
    assert expected[0] > 3.4
    assert SHIFT == shown[0]
    assert [pytest.approx(at + SHIFT, abs=0.0006) for at in expected[1:]] == shown[1:]
    assert 0 == copied.segments[0].start_us
    assert sum(lengths(copied.segments)) == pytest.approx(expected[-1] + 1 / 30, abs=0.001)


async def test_pixels_that_are_not_square_are_told_of(clip: Clip) -> None:
    copied = await one_of(clip("anamorphic"), COPIED)
    assert (320, 180) == (copied.started.width, copied.started.height)


@pytest.mark.parametrize(
    "name", ["rare keyframes", "very late picture", "hevc", "flash in ts", "open groups", "short open groups"]
)
async def test_what_cannot_be_copied_is_refused_as_such(clip: Clip, name: str) -> None:
    with pytest.raises(NotCopyableError, match=re.escape(ReasonCode.FILM_NOT_COPYABLE.sentence)):
        await made_of(clip(name), COPIED)
