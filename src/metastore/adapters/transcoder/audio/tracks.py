"""Audio renditions: AAC copied without encoding, or anything else encoded as stereo AAC."""

from fractions import Fraction
from typing import Protocol

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream

from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.transcoder.audio.downmix import Downmix
from metastore.adapters.transcoder.demuxer import Demuxer, decode, flush_decoder
from metastore.adapters.transcoder.mp4 import codec_parameters
from metastore.adapters.transcoder.mp4.muxer import AudioTrack, Sample
from metastore.adapters.transcoder.mp4.rendition_writer import RenditionWriter
from metastore.adapters.transcoder.timeline import LATE_US, Timeline
from metastore.ports.transcoder import SEGMENT_US, AudioRendition

_FRAME_SAMPLES = 1024
_OUTPUT_RATES = (44_100, 48_000)
_TARGET_SECONDS = -(-SEGMENT_US // 1_000_000)
_TOLERANCE = Fraction(2, 100)
"""Seconds by which timestamps may differ from the sum of the samples."""
_JUMP_SECONDS = 1
_MAX_SILENCE = 12 * 3600
_STANDARD_LAYOUTS = ("mono", "stereo", "5.1")


class AudioWriter(Protocol):
    """Takes a stream's packets and writes them as segments of a rendition."""

    stream: AudioStream

    def take(self, packet: "Packet[Stream]") -> None:
        """Process the next packet."""
        ...

    def finish(self) -> None:
        """Process everything that is delayed, and complete the rendition."""
        ...


def audio_writer(demuxer: Demuxer, stream: AudioStream, rendition: AudioRendition, emit: Emit) -> AudioWriter:
    """Return the writer of a rendition; it encodes if copying was requested but is not possible."""
    context = stream.codec_context
    configuration = context.extradata or b""
    is_aac = context.name in {"aac", "aac_fixed"} and len(configuration) >= 2
    if rendition.copy and is_aac and codec_parameters.aac_object_type(configuration) == codec_parameters.AAC_LC:
        return AudioRemuxer(demuxer, stream, rendition.name, emit)
    return AudioEncoder(demuxer, stream, rendition.name, rendition.bitrate, emit)


class _Segmenter:
    """Groups AAC frames into segments that start with the first frame after each multiple of ``SEGMENT_US``."""

    def __init__(self, writer: RenditionWriter, timeline: Timeline) -> None:
        self._writer = writer
        self._interval = timeline.ticks_of_us(SEGMENT_US)
        self._samples: list[Sample] = []
        self._next_start = self._interval

    def add(self, data: bytes, time: int) -> None:
        if time >= self._next_start:
            self.flush(time)
            self._next_start = (time // self._interval + 1) * self._interval
        self._samples.append(Sample(data, time, time))

    def flush(self, end: int) -> None:
        if self._samples:
            end = min(end, self._samples[-1].shown + self._interval)
            self._writer.add(self._samples, end, self._samples[0].shown, end)
            self._samples = []


class AudioRemuxer:
    """Copies AAC. A frame's time is where the samples before it end, unless its timestamp differs too much."""

    def __init__(self, demuxer: Demuxer, stream: AudioStream, name: str, emit: Emit) -> None:
        context = stream.codec_context
        self.stream = stream
        self._source_timeline = demuxer.timeline(stream)
        timeline = Timeline(Fraction(1, context.sample_rate), demuxer.start_us)
        self._timescale = timeline.timescale
        self._frame_length = _FRAME_SAMPLES * timeline.timescale // context.sample_rate
        self._tolerance = int(_TOLERANCE * timeline.timescale)
        # Of the frames before the start, only the last one is kept, because decoding the first one needs it. It is
        # dropped as well if frames are so long that the first segment would exceed its duration.
        self._earliest = -min(2 * self._frame_length, timeline.ticks_of_us(LATE_US))
        self._time: int | None = None
        self._silence: bytes | None = None
        self._writer = RenditionWriter(name, timeline, emit)
        self._segmenter = _Segmenter(self._writer, timeline)
        configuration = context.extradata or b""
        track = AudioTrack(timeline.timescale, configuration, context.layout.nb_channels)
        self._writer.start(track, codec_parameters.aac_name(configuration), _TARGET_SECONDS)

    def take(self, packet: "Packet[Stream]") -> None:
        """Process the next packet."""
        time = self._time
        if packet.pts is not None:
            timestamp = self._source_timeline.ticks(packet.pts) * self._timescale // self._source_timeline.timescale
            if time is None or timestamp > time + self._tolerance:
                self._add_silence(time if time is not None else timestamp % self._frame_length, timestamp)
                time = timestamp
            elif timestamp < time - self._frame_length:
                return
        if time is not None:
            self._time = time + self._frame_length
            if time > self._earliest:
                self._segmenter.add(bytes(packet), time)

    def finish(self) -> None:
        """Write the last segment and complete the rendition."""
        self._segmenter.flush(self._time or 0)
        self._writer.end()

    def _add_silence(self, time: int, end: int) -> None:
        """Fill a gap with silent frames: players require audio from the start on and without gaps."""
        end = min(end, _MAX_SILENCE * self._timescale)
        if end - time >= self._frame_length and self._silence is None:
            self._silence = _silent_packet(self.stream.codec_context)
        while self._silence and time + self._frame_length <= end:
            self._segmenter.add(self._silence, time)
            time += self._frame_length


class AudioEncoder:
    """Encodes any audio as stereo AAC, with silence where the source has gaps."""

    def __init__(self, demuxer: Demuxer, stream: AudioStream, name: str, bitrate: int, emit: Emit) -> None:
        self.stream = stream
        self._source_timeline = demuxer.timeline(stream)
        rate = stream.codec_context.sample_rate
        self._rate = rate if rate in _OUTPUT_RATES else _OUTPUT_RATES[1]
        timeline = Timeline(Fraction(1, self._rate), 0)
        self._ticks_per_sample = timeline.timescale // self._rate
        self._downmix = Downmix(self._rate)
        self._queue = AudioFifo()
        self._tolerance = int(_TOLERANCE * self._rate)
        self._offset = 0
        self._encoded = 0
        """The number of samples passed to the encoder."""
        self._encoder = _aac_encoder(self._rate, bitrate)
        self._writer = RenditionWriter(name, timeline, emit)
        self._segmenter = _Segmenter(self._writer, timeline)
        configuration = self._encoder.extradata or b""
        track = AudioTrack(timeline.timescale, configuration, 2)
        self._writer.start(track, codec_parameters.aac_name(configuration), _TARGET_SECONDS)

    def take(self, packet: "Packet[Stream]") -> None:
        """Process the next packet; an undecodable one becomes silence."""
        for frame in decode(packet):
            if isinstance(frame, AudioFrame):
                self._correct_timestamp(frame, packet.duration or 0)
                self._add(frame)

    def finish(self) -> None:
        """Process everything that is delayed, and complete the rendition."""
        for frame in flush_decoder(self.stream):
            if isinstance(frame, AudioFrame):
                self._add(frame)
        for stereo in self._downmix.flush():
            self._enqueue(stereo)
        rest = self._queue.read(0, partial=True)
        if rest is not None:
            self._encode(rest)
        self._write(self._encoder.encode(None))
        self._segmenter.flush(self._encoded * self._ticks_per_sample)
        self._writer.end()

    def _correct_timestamp(self, frame: AudioFrame, duration: int) -> None:
        """Correct the timestamp of the first frame, which decoders do not adjust when they drop priming samples."""
        if not self._encoded and frame.pts is not None and frame.time_base:
            dropped = duration - round(Fraction(frame.samples, frame.sample_rate) / frame.time_base)
            frame.pts += max(0, dropped)

    def _add(self, frame: AudioFrame) -> None:
        time = None if frame.pts is None else self._source_timeline.ticks(frame.pts)
        for stereo in self._downmix.convert(frame):
            if time is None or self._fill_gap(time):
                self._enqueue(stereo)
            time = None

    def _fill_gap(self, ticks: int) -> bool:
        """Add silence up to a time; return ``False`` if the audio so far already extends beyond it."""
        position = self._encoded + self._queue.samples
        gap = ticks * self._rate // self._source_timeline.timescale + self._offset - position
        if gap < -_JUMP_SECONDS * self._rate:
            # Timestamps restart where two recordings were concatenated.
            self._offset -= gap
            return True
        if gap > self._tolerance or not position:
            self._add_silence(min(gap, _MAX_SILENCE * self._rate - position))
        return gap >= -self._tolerance

    def _add_silence(self, samples: int) -> None:
        while samples > 0:
            silence = _silent_frame("stereo", self._rate, min(samples, self._rate))
            samples -= silence.samples
            self._enqueue(silence)

    def _enqueue(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = None, Fraction(1, self._rate)
        self._queue.write(frame)
        while (complete := self._queue.read(_FRAME_SAMPLES)) is not None:
            self._encode(complete)

    def _encode(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = self._encoded, Fraction(1, self._rate)
        self._encoded += frame.samples
        self._write(self._encoder.encode(frame))

    def _write(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            if packet.size and packet.pts is not None:
                self._segmenter.add(bytes(packet), packet.pts * self._ticks_per_sample)


def _aac_encoder(rate: int, bitrate: int, layout: str = "stereo") -> AudioCodecContext:
    encoder = CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
    encoder.time_base = Fraction(1, rate)
    encoder.bit_rate = bitrate
    encoder.flags |= Flags.global_header
    encoder.open()
    return encoder


def _silent_frame(layout: str, rate: int, samples: int) -> AudioFrame:
    frame = AudioFrame(format="fltp", layout=layout, samples=samples)
    frame.sample_rate = rate
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _silent_packet(like: AudioCodecContext) -> bytes | None:
    """Encode a silent AAC frame with the same channels; ``None`` if their layout is not a standard one."""
    layout = like.layout.name
    if layout not in _STANDARD_LAYOUTS:
        return None
    try:
        encoder = _aac_encoder(like.sample_rate, 64_000, layout)
        packets = [*encoder.encode(_silent_frame(layout, like.sample_rate, _FRAME_SAMPLES)), *encoder.encode(None)]
        return bytes(packets[-1])
    except (av.FFmpegError, IndexError):
        return None
