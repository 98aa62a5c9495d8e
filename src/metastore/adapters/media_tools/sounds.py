"""Sounds at a glance."""

from collections.abc import Callable
from fractions import Fraction
from typing import cast

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.stream import Discard
from PIL import Image

from metastore.adapters.media_tools import films
from metastore.adapters.sandbox.films import has_decoder
from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode

_FULL_SCALE = 2**31
_SAMPLE = 4
_TELL_EVERY = 600
"""Seconds of sound."""


def waveform(source: ParentBytes, points: int, tell: Callable[[], None]) -> bytes:
    """The loudest sample of each of so many equal stretches of the first track, as a byte.

    ``tell`` is called every so often while it goes on.
    """
    with films.open_film(source) as container:
        track = next((stream for stream in container.streams.audio if has_decoder(stream)), None)
        length = films.duration_us(container, source)
        if track is None or not length:
            raise RefusedError(ReasonCode.NO_AUDIO)
        for stream in container.streams:
            if stream is not track:
                stream.discard = Discard.all
        told = Fraction(0)
        peaks = _Peaks(points, Fraction(length, 1_000_000))
        for frame in films.sounds_of(container, track):
            peaks.add(frame)
            if peaks.seconds - told > _TELL_EVERY:
                told = peaks.seconds
                tell()
        if not peaks.heard:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        return peaks.as_bytes()


class _Peaks:
    """The loudest so far, point by point, while frames come in the order of time."""

    def __init__(self, points: int, seconds: Fraction) -> None:
        self.heard = False
        self._peaks = [0] * points
        self._points_a_second = points / seconds
        self._at = Fraction(0)
        self._resamplers: dict[tuple[str, str, int], AudioResampler] = {}

    def add(self, frame: AudioFrame) -> None:
        """Hear it."""
        if not frame.samples or not frame.sample_rate:
            return
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        resampler = self._resamplers.get(form)
        if resampler is None:
            # Interleaved integers: what is not a number in floating point is none here.
            resampler = self._resamplers[form] = AudioResampler(format="s32", layout=form[1], rate=form[2])
        for plain in resampler.resample(frame):
            self._add_plain(plain)

    @property
    def seconds(self) -> Fraction:
        """How much has been heard."""
        return self._at / self._points_a_second

    def as_bytes(self) -> bytes:
        """A byte a point."""
        return bytes(min(255, round(peak * 255 / _FULL_SCALE)) for peak in self._peaks)

    def _add_plain(self, frame: AudioFrame) -> None:
        self.heard = True
        width = _SAMPLE * frame.layout.nb_channels
        data = memoryview(frame.planes[0])[: frame.samples * width]
        points_a_sample = self._points_a_second / frame.sample_rate
        done = 0
        while done < frame.samples:
            point = min(int(self._at), len(self._peaks) - 1)
            # To the end of this point, but for the last, which takes whatever comes.
            left = frame.samples - done
            if point < len(self._peaks) - 1:
                left = min(left, max(1, int((point + 1 - self._at) / points_a_sample)))
            low, high = _extremes(data[done * width : (done + left) * width])
            self._peaks[point] = max(self._peaks[point], high, -low)
            self._at += left * points_a_sample
            done += left


def _extremes(samples: memoryview) -> tuple[int, int]:
    line = Image.frombytes("I", (len(samples) // _SAMPLE, 1), samples)
    low, high = cast("tuple[int, int]", line.getextrema())
    return low, high
