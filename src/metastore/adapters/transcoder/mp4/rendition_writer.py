"""Emit the segments of a rendition to the parent process."""

from collections.abc import Sequence

from metastore.adapters.sandbox.protocol import Emit, Json
from metastore.adapters.transcoder.mp4 import muxer
from metastore.adapters.transcoder.mp4.muxer import AudioTrack, Sample, VideoTrack
from metastore.adapters.transcoder.timeline import Timeline


class RenditionWriter:
    """Writes the rendition ``name``; ``first`` is the number of its next segment."""

    def __init__(self, name: str, timeline: Timeline, emit: Emit, first: int = 0) -> None:
        self._header: dict[str, Json] = {"rendition": name}
        self._timeline = timeline
        self._emit = emit
        self._number = first

    def start(
        self, track: VideoTrack | AudioTrack, codecs: str, target_seconds: int, **attributes: float | None
    ) -> None:
        """Emit the init segment; the attributes of video are ``width``, ``height`` and ``frame_rate``."""
        header = {**self._header, "kind": "started", "codecs": codecs, "target_seconds": target_seconds, **attributes}
        self._emit(header, muxer.init_segment(track))

    def add(self, samples: Sequence[Sample], decoded_until: int, start: int, end: int) -> None:
        """Emit a segment. Times are in ticks, without the shift."""
        shift = self._timeline.shift
        shifted = [Sample(one.data, one.decoded + shift, one.shown + shift, one.is_key) for one in samples]
        data = muxer.media_segment(self._number, shifted, decoded_until + shift)
        start_us = max(0, self._timeline.us(start)) if self._number else 0
        header = {"number": self._number, "start_us": start_us, "duration_us": self._timeline.us(end) - start_us}
        self._emit({**self._header, "kind": "segment", **header}, data)
        self._number += 1

    def end(self) -> None:
        """Emit the message that the rendition is complete."""
        self._emit({**self._header, "kind": "ended"}, b"")
