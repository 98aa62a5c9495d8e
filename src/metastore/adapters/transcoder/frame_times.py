"""When decoded frames are shown, in a clock's ticks: ever later, whatever they say."""

from fractions import Fraction

from av.video.frame import VideoFrame

from metastore.adapters.transcoder.times import Clock

_JUMP_SECONDS = 1
_LATEST_SECONDS = 48 * 3600


class FrameTimes:
    """Of one stream; ``rate`` is used where a frame says nothing."""

    def __init__(self, clock: Clock, rate: Fraction) -> None:
        self._clock = clock
        self._length = max(1, round(clock.timescale / rate))
        self._jump = _JUMP_SECONDS * clock.timescale
        self._latest = _LATEST_SECONDS * clock.timescale
        self._later_by = 0
        self._last: int | None = None
        self.end = 0
        """When the last frame so far is no more shown."""

    def of(self, frame: VideoFrame) -> int | None:
        """When it is to be shown, if at all."""
        last = self._last
        if frame.pts is None:
            at = 0 if last is None else last + self._length
        else:
            at = self._clock.ticks(frame.pts) + self._later_by
        if last is not None and at < last - self._jump:
            # Something else was joined here, which counts anew.
            self._later_by += last + self._length - at
            at = last + self._length
        if (last is not None and at <= last) or at > self._latest:
            return None
        self._last = at
        lasts = self._clock.length(frame.duration) if frame.duration > 0 else self._length
        self.end = min(at + lasts, self._latest)
        return at
