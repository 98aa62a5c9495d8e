"""Presentation times (PTS) of decoded frames: strictly increasing, even if those of the source are not."""

from fractions import Fraction

from av.video.frame import VideoFrame

from metastore.adapters.transcoder.timeline import Timeline

_JUMP_SECONDS = 1
_MAX_SECONDS = 48 * 3600


class PresentationTimes:
    """Assigns ticks to the frames of one stream; frames without a timestamp follow each other at ``rate``."""

    def __init__(self, timeline: Timeline, rate: Fraction) -> None:
        self._timeline = timeline
        self._frame_length = max(1, round(timeline.timescale / rate))
        self._jump = _JUMP_SECONDS * timeline.timescale
        self._max = _MAX_SECONDS * timeline.timescale
        self._offset = 0
        self._last: int | None = None
        self.end = 0
        """The tick at which the last frame so far is no longer shown."""

    def assign(self, frame: VideoFrame) -> int | None:
        """Return the tick at which a frame is shown; ``None`` if it has to be dropped."""
        last = self._last
        if frame.pts is None:
            time = 0 if last is None else last + self._frame_length
        else:
            time = self._timeline.ticks(frame.pts) + self._offset
        if last is not None and time < last - self._jump:
            # Timestamps restart where two recordings were concatenated.
            self._offset += last + self._frame_length - time
            time = last + self._frame_length
        if (last is not None and time <= last) or time > self._max:
            return None
        self._last = time
        duration = self._timeline.length(frame.duration) if frame.duration > 0 else self._frame_length
        self.end = min(time + duration, self._max)
        return time
