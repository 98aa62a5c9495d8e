"""Any channel layout is converted to stereo of the same loudness."""

import math
from array import array

import pytest
from av.audio.frame import AudioFrame

from metastore.adapters.transcoder.audio.downmix import Downmix

_RATE = 48_000
_SECONDS = 0.5
_FRAME = 1000


def tone(loudness: float = 0.5, hertz: float = 440) -> "array[float]":
    """Return the samples of a sine wave."""
    return array("f", (loudness * math.sin(2 * math.pi * hertz * at / _RATE) for at in range(int(_RATE * _SECONDS))))


SILENCE = tone(0)


def downmixed(layout: str, channels: "list[array[float]]", rate: int = _RATE) -> "list[array[float]]":
    """Return the left and right channel of the downmix of ``channels``."""
    downmix = Downmix(rate)
    given = []
    for begins in range(0, len(channels[0]), _FRAME):
        frame = AudioFrame(format="fltp", layout=layout, samples=_FRAME)
        frame.sample_rate = _RATE
        for plane, channel in zip(frame.planes, channels, strict=True):
            plane.update(channel[begins : begins + _FRAME].tobytes().ljust(plane.buffer_size, b"\0"))
        given += downmix.convert(frame)
    given += downmix.flush()
    assert {("fltp", "stereo", rate)} == {(one.format.name, one.layout.name, one.sample_rate) for one in given}
    return [array("f", b"".join(bytes(one.planes[side])[: 4 * one.samples] for one in given)) for side in (0, 1)]


def loudness(channel: "array[float]") -> float:
    """Return the RMS."""
    return math.sqrt(sum(sample * sample for sample in channel) / len(channel))


def test_mono_is_copied_to_both_channels() -> None:
    left, right = downmixed("mono", [tone()])
    assert list(tone()) == pytest.approx(list(left), abs=1e-6)
    assert left == right


def test_stereo_is_unchanged() -> None:
    assert [tone(), SILENCE] == downmixed("stereo", [tone(), SILENCE])


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)"])
def test_the_centre_is_mixed_into_both_channels_and_each_side_into_its_own(layout: str) -> None:
    expected = {0: (1, 0), 1: (0, 1), 2: (0.707, 0.707), 4: (0.707, 0), 5: (0, 0.707)}
    for at, sides in expected.items():
        channels = [tone() if place == at else SILENCE for place in range(6)]
        shares = [loudness(side) / loudness(tone()) for side in downmixed(layout, channels)]
        assert [pytest.approx(share, abs=0.005) for share in sides] == shares


def test_a_mix_that_would_clip_is_limited() -> None:
    for side in downmixed("5.1", [tone(0.95)] * 6):
        assert 0.9 < max(map(abs, side)) <= 0.98


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("3.0", 3), ("quad", 4), ("5.1", 6)])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_samples_are_neither_added_nor_lost_nor_shifted(layout: str, channels: int, rate: int) -> None:
    click = array("f", SILENCE)
    click[12_000] = 0.9
    left, right = downmixed(layout, [click] * channels, rate)
    assert len(left) == len(right) == pytest.approx(_SECONDS * rate, abs=1)
    loudest = max(range(len(left)), key=lambda at: abs(left[at]))
    assert loudest / rate == pytest.approx(12_000 / _RATE, abs=0.0001)
