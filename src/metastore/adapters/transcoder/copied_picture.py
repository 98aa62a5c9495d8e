"""The picture as it is, cut where it stands by itself."""

from fractions import Fraction
from math import floor

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import NotCopyableError
from metastore.adapters.sandbox.wire import Emit
from metastore.adapters.transcoder import codecs
from metastore.adapters.transcoder.cuts import LATE_US
from metastore.adapters.transcoder.decode_times import DecodeTimes
from metastore.adapters.transcoder.film import Film
from metastore.adapters.transcoder.fragments import Picture, Sample
from metastore.adapters.transcoder.renditions import Rendition
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US, SEGMENT_US

_MAX_BYTES = 64 * 2**20
_LARGE = 24 * 2**20
"""From this size on any keyframe will do for a cut."""
_FRAMES_APART = Fraction(2, 10)
"""How far the times of an index, which are those of decoding, may be from when frames are shown, in seconds."""


class CopiedPicture:
    """Takes a stream's packets, and makes them segments of a rendition."""

    def __init__(self, film: Film, stream: VideoStream, name: str, emit: Emit) -> None:
        self.stream = stream
        context = stream.codec_context
        self._record = context.extradata or b""
        if context.name != "h264" or not codecs.is_avc_configuration(self._record):
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._clock = clock = film.clock(stream)
        self._shortest = clock.ticks_of_us(SEGMENT_US)
        self._longest = clock.ticks_of_us(MAX_COPIED_SEGMENT_US)
        self._rendition = Rendition(name, clock, emit)
        self._samples: list[Sample] = []
        self._bytes = 0
        self._keys: list[int] = []
        """Where among the samples a segment might begin."""
        self._ends = 0
        self._late = clock.ticks_of_us(LATE_US)
        self._decode_times = DecodeTimes(context.reorder_depth, stream.average_rate or Fraction(30), clock.timescale)
        self._target = target = _target_seconds(film, stream)
        self._cut_at = 0
        """Where the playlist has the segment begin that comes next."""
        shape = stream.sample_aspect_ratio or 1
        size = context.width, context.height
        track = Picture(clock.timescale, self._record, *size, shape.numerator, shape.denominator)
        self._rendition.start(
            track,
            codecs.picture_name(self._record),
            target,
            width=round(context.width * shape),
            height=context.height,
            frame_rate=float(stream.average_rate) if stream.average_rate else None,
        )

    def take(self, packet: "Packet[Stream]") -> None:
        """The next."""
        if packet.pts is None or packet.is_discard or packet.has_sidedata("new_extradata"):
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        data = bytes(packet)
        shown = self._clock.ticks(packet.pts)
        decoded = self._decoded(packet, shown)
        is_key = packet.is_keyframe and codecs.begins_anew(self._record, data)
        if is_key:
            self._cut_before(shown)
            self._keys.append(len(self._samples))
        elif not self._samples:
            if self._ends:
                raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
            return  # Nothing that comes before the first keyframe can be shown.
        if not self._samples and not self._ends and shown > self._late:
            # It is seen while one waits for the second.
            shown = 0
        self._samples.append(Sample(data, decoded, shown, is_key))
        self._bytes += len(data)
        self._ends = max(self._ends, shown + self._clock.length(packet.duration or 0))
        if self._bytes > _MAX_BYTES or self._ends - self._samples[self._keys[-1]].shown > self._longest:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)

    def finish(self) -> None:
        """There are no more."""
        if not self._samples:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._cut_before(self._ends, force=True)
        self._rendition.end()

    def _decoded(self, packet: "Packet[Stream]", shown: int) -> int:
        decoded = shown if packet.dts is None else self._clock.ticks(packet.dts)
        if not self._samples:
            return decoded
        before = self._samples[-1].decoded
        if decoded <= before - self._shortest:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        return decoded

    def _cut_before(self, shown: int, *, force: bool = False) -> None:
        """End the segment, where that is due, before a frame that begins anew."""
        if not self._samples:
            return
        begins = self._samples[0].shown
        if shown - begins > self._longest and len(self._keys) > 1:
            # Too long a wait: what was passed over is taken after all.
            at = self._keys[-1]
            self._add(at, self._samples[at].shown)
            begins = self._samples[0].shown
        if force or shown - begins >= self._shortest or self._bytes > _LARGE:
            self._add(len(self._samples), shown)

    def _add(self, count: int, ends: int) -> None:
        samples = self._samples[:count]
        begins = samples[0].shown
        # An index may call frames key that do not stand by themselves.
        said_to_last = self._clock.us(ends - self._cut_at)
        if ends - begins > self._longest or said_to_last >= (2 * self._target + 1) * 500_000:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._cut_at = ends
        self._rendition.add(*self._decode_times.of(samples, ends), begins, ends)
        self._samples = self._samples[count:]
        self._bytes = sum(len(sample.data) for sample in self._samples)
        self._keys = [0] if self._samples else []


def _target_seconds(film: Film, stream: VideoStream) -> int:
    """By the container's index where it has a whole one, else as long as can be."""
    longest = MAX_COPIED_SEGMENT_US // 1_000_000
    unit = stream.time_base
    entries = stream.index_entries
    if not unit or not len(entries) or not film.duration_us:
        return longest
    times = [entry.timestamp for entry in entries if entry.is_keyframe]
    end = (stream.start_time or 0) + (stream.duration or 0)
    if not times or not stream.duration or (end - entries[len(entries) - 1].timestamp) * unit > 1:
        return longest
    beginning = floor(Fraction(film.beginning_us, 1_000_000) / unit)
    begins = beginning if (times[0] - beginning) * unit * 1_000_000 > LATE_US else times[0]
    longest_seen, passed = 0, begins
    for time in [*times[1:], end]:
        if (time - begins) * unit * 1_000_000 > MAX_COPIED_SEGMENT_US and passed > begins:
            longest_seen, begins = max(longest_seen, passed - begins), passed
        if (time - begins) * unit * 1_000_000 >= SEGMENT_US or time == end:
            longest_seen, begins = max(longest_seen, time - begins), time
        passed = time
    if longest_seen * unit * 1_000_000 > MAX_COPIED_SEGMENT_US:
        raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
    return max(1, min(longest, floor(longest_seen * unit + _FRAMES_APART + Fraction(1, 2))))
