"""Compute the waveform of an audio track."""

from collections.abc import Callable
from fractions import Fraction
from typing import cast

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.stream import Discard
from PIL import Image

from metastore.adapters.media_tools.av import demuxer
from metastore.adapters.sandbox.containers import has_decoder
from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode

_FULL_SCALE = 2**31
_SAMPLE_SIZE = 4
_PROGRESS_INTERVAL = 600
"""Seconds of audio."""


def compute_waveform(source: SourceFile, points: int, on_progress: Callable[[], None]) -> bytes:
    """Return the peak of each of ``points`` equal intervals of the first track, as a byte (255: full scale).

    Calls ``on_progress`` after every ten minutes of audio.

    Raises:
        RefusedError: There is no audio, its duration is unknown, or it is damaged.
    """
    with demuxer.open_source(source) as container:
        track = next((stream for stream in container.streams.audio if has_decoder(stream)), None)
        duration = demuxer.duration_us(container, source)
        if track is None or not duration:
            raise RefusedError(ReasonCode.NO_AUDIO)
        for stream in container.streams:
            if stream is not track:
                stream.discard = Discard.all
        reported = Fraction(0)
        peaks = _Peaks(points, Fraction(duration, 1_000_000))
        for frame in demuxer.audio_frames_of(container, track):
            peaks.add(frame)
            if peaks.seconds - reported > _PROGRESS_INTERVAL:
                reported = peaks.seconds
                on_progress()
        if peaks.is_empty:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        return peaks.as_bytes()


class _Peaks:
    """Accumulates the peak of each interval from consecutive frames."""

    def __init__(self, points: int, seconds: Fraction) -> None:
        self.is_empty = True
        self._peaks = [0] * points
        self._points_per_second = points / seconds
        self._position = Fraction(0)
        """In points."""
        self._resamplers: dict[tuple[str, str, int], AudioResampler] = {}

    def add(self, frame: AudioFrame) -> None:
        """Add the next frame."""
        if not frame.samples or not frame.sample_rate:
            return
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        resampler = self._resamplers.get(form)
        if resampler is None:
            # Interleaved integers, which unlike floats are always numbers.
            resampler = self._resamplers[form] = AudioResampler(format="s32", layout=form[1], rate=form[2])
        for resampled in resampler.resample(frame):
            self._add_resampled(resampled)

    @property
    def seconds(self) -> Fraction:
        """How much audio has been added."""
        return self._position / self._points_per_second

    def as_bytes(self) -> bytes:
        """Return one byte per point."""
        return bytes(min(255, round(peak * 255 / _FULL_SCALE)) for peak in self._peaks)

    def _add_resampled(self, frame: AudioFrame) -> None:
        self.is_empty = False
        width = _SAMPLE_SIZE * frame.layout.nb_channels
        data = memoryview(frame.planes[0])[: frame.samples * width]
        points_per_sample = self._points_per_second / frame.sample_rate
        done = 0
        while done < frame.samples:
            point = min(int(self._position), len(self._peaks) - 1)
            # Up to the end of this point; the last point takes all remaining samples.
            count = frame.samples - done
            if point < len(self._peaks) - 1:
                count = min(count, max(1, int((point + 1 - self._position) / points_per_sample)))
            low, high = _extremes(data[done * width : (done + count) * width])
            self._peaks[point] = max(self._peaks[point], high, -low)
            self._position += count * points_per_sample
            done += count


def _extremes(samples: memoryview) -> tuple[int, int]:
    # Pillow finds the extremes of a one-row image much faster than Python could.
    row = Image.frombytes("I", (len(samples) // _SAMPLE_SIZE, 1), samples)
    low, high = cast("tuple[int, int]", row.getextrema())
    return low, high
