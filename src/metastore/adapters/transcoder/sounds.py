"""Tracks of sound, as they are or as AAC in stereo."""

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

from metastore.adapters.sandbox.wire import Emit
from metastore.adapters.transcoder import codecs
from metastore.adapters.transcoder.cuts import LATE_US
from metastore.adapters.transcoder.film import Film, decoded, rest_of
from metastore.adapters.transcoder.fragments import Sample, Sound
from metastore.adapters.transcoder.renditions import Rendition
from metastore.adapters.transcoder.stereo import Stereo
from metastore.adapters.transcoder.times import Clock
from metastore.ports.transcoder import SEGMENT_US, AudioRendition

_FRAME = 1024
_RATES = (44_100, 48_000)
_TARGET_SECONDS = -(-SEGMENT_US // 1_000_000)
_TOLERATED = Fraction(2, 100)
"""How many seconds the times of packets may be off what their samples add up to."""
_JUMP_SECONDS = 1
_MOST_SILENCE = 12 * 3600
_USUAL_LAYOUTS = ("mono", "stereo", "5.1")


class SoundTrack(Protocol):
    """Takes a stream's packets, and makes them segments of a rendition."""

    stream: AudioStream

    def take(self, packet: "Packet[Stream]") -> None:
        """The next."""
        ...

    def finish(self) -> None:
        """There are no more."""
        ...


def sound_track(film: Film, stream: AudioStream, wanted: AudioRendition, emit: Emit) -> SoundTrack:
    """As it is wanted; what is no AAC that one can copy is encoded all the same."""
    context = stream.codec_context
    configuration = context.extradata or b""
    is_aac = context.name in {"aac", "aac_fixed"} and len(configuration) >= 2
    if wanted.copy and is_aac and codecs.sound_type(configuration) == codecs.AAC_LC:
        return CopiedSound(film, stream, wanted.name, emit)
    return EncodedSound(film, stream, wanted.name, wanted.bitrate, emit)


class _Frames:
    """AAC frames, cut into segments at the first that begins past each ``SEGMENT_US``."""

    def __init__(self, rendition: Rendition, clock: Clock) -> None:
        self._rendition = rendition
        self._every = clock.ticks_of_us(SEGMENT_US)
        self._samples: list[Sample] = []
        self._next_cut = self._every

    def add(self, data: bytes, at: int) -> None:
        if at >= self._next_cut:
            self.flush(at)
            self._next_cut = (at // self._every + 1) * self._every
        self._samples.append(Sample(data, at, at))

    def flush(self, until: int) -> None:
        if self._samples:
            until = min(until, self._samples[-1].shown + self._every)
            self._rendition.add(self._samples, until, self._samples[0].shown, until)
            self._samples = []


class CopiedSound:
    """AAC as it is; a frame's time is where the samples before it end, unless it says something else."""

    def __init__(self, film: Film, stream: AudioStream, name: str, emit: Emit) -> None:
        context = stream.codec_context
        self.stream = stream
        self._seconds_of = film.clock(stream)
        clock = Clock(Fraction(1, context.sample_rate), film.beginning_us)
        self._rate = clock.timescale
        self._length = _FRAME * clock.timescale // context.sample_rate
        self._tolerated = int(_TOLERATED * clock.timescale)
        # Of what was cut off the beginning, only the frame before it is needed, to decode the first one; and not even
        # that where frames are so long that the segment would be longer than it says.
        self._earliest = -min(2 * self._length, clock.ticks_of_us(LATE_US))
        self._at: int | None = None
        self._silence: bytes | None = None
        self._rendition = Rendition(name, clock, emit)
        self._frames = _Frames(self._rendition, clock)
        configuration = context.extradata or b""
        track = Sound(clock.timescale, configuration, context.layout.nb_channels)
        self._rendition.start(track, codecs.sound_name(configuration), _TARGET_SECONDS)

    def take(self, packet: "Packet[Stream]") -> None:
        """The next."""
        at = self._at
        if packet.pts is not None:
            said = self._seconds_of.ticks(packet.pts) * self._rate // self._seconds_of.timescale
            if at is None or said > at + self._tolerated:
                self._be_silent(at if at is not None else said % self._length, said)
                at = said
            elif said < at - self._length:
                return
        if at is not None:
            self._at = at + self._length
            if at > self._earliest:
                self._frames.add(bytes(packet), at)

    def finish(self) -> None:
        """There are no more."""
        self._frames.flush(self._at or 0)
        self._rendition.end()

    def _be_silent(self, at: int, until: int) -> None:
        """Players want sound from the beginning on; where there is none, they get frames of silence."""
        until = min(until, _MOST_SILENCE * self._rate)
        if until - at >= self._length and self._silence is None:
            self._silence = _silent_frame(self.stream.codec_context)
        while self._silence and at + self._length <= until:
            self._frames.add(self._silence, at)
            at += self._length


class EncodedSound:
    """Anything, as AAC in stereo; where there is nothing, it is silence."""

    def __init__(self, film: Film, stream: AudioStream, name: str, bitrate: int, emit: Emit) -> None:
        self.stream = stream
        self._seconds_of = film.clock(stream)
        rate = stream.codec_context.sample_rate
        self._rate = rate if rate in _RATES else _RATES[1]
        clock = Clock(Fraction(1, self._rate), 0)
        self._scale = clock.timescale // self._rate
        self._stereo = Stereo(self._rate)
        self._waiting = AudioFifo()
        self._tolerated = int(_TOLERATED * self._rate)
        self._later_by = 0
        self._at = 0
        """Where the samples that were given to the encoder end."""
        self._encoder = _aac_encoder(self._rate, bitrate)
        self._rendition = Rendition(name, clock, emit)
        self._frames = _Frames(self._rendition, clock)
        configuration = self._encoder.extradata or b""
        track = Sound(clock.timescale, configuration, 2)
        self._rendition.start(track, codecs.sound_name(configuration), _TARGET_SECONDS)

    def take(self, packet: "Packet[Stream]") -> None:
        """The next; what cannot be decoded is silence."""
        for frame in decoded(packet):
            if isinstance(frame, AudioFrame):
                self._correct(frame, packet.duration or 0)
                self._add(frame)

    def finish(self) -> None:
        """There are no more."""
        for frame in rest_of(self.stream):
            if isinstance(frame, AudioFrame):
                self._add(frame)
        for stereo in self._stereo.rest():
            self._give(stereo)
        rest = self._waiting.read(0, partial=True)
        if rest is not None:
            self._encode(rest)
        self._take_encoded(self._encoder.encode(None))
        self._frames.flush(self._at * self._scale)
        self._rendition.end()

    def _correct(self, frame: AudioFrame, duration: int) -> None:
        """Where the decoder left out samples before the beginning, it left the frame's time as it was."""
        if not self._at and frame.pts is not None and frame.time_base:
            left_out = duration - round(Fraction(frame.samples, frame.sample_rate) / frame.time_base)
            frame.pts += max(0, left_out)

    def _add(self, frame: AudioFrame) -> None:
        said = None if frame.pts is None else self._seconds_of.ticks(frame.pts)
        for stereo in self._stereo.of(frame):
            if said is None or self._is_in_time(said):
                self._give(stereo)
            said = None

    def _is_in_time(self, ticks: int) -> bool:
        """Whether what is heard then is not over; one is silent until that time comes."""
        now = self._at + self._waiting.samples
        missing = ticks * self._rate // self._seconds_of.timescale + self._later_by - now
        if missing < -_JUMP_SECONDS * self._rate:
            # Something else was joined here, which counts anew.
            self._later_by -= missing
            return True
        if missing > self._tolerated or not now:
            self._be_silent(min(missing, _MOST_SILENCE * self._rate - now))
        return missing >= -self._tolerated

    def _be_silent(self, samples: int) -> None:
        while samples > 0:
            silence = _silence("stereo", self._rate, min(samples, self._rate))
            samples -= silence.samples
            self._give(silence)

    def _give(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = None, Fraction(1, self._rate)
        self._waiting.write(frame)
        while (whole := self._waiting.read(_FRAME)) is not None:
            self._encode(whole)

    def _encode(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = self._at, Fraction(1, self._rate)
        self._at += frame.samples
        self._take_encoded(self._encoder.encode(frame))

    def _take_encoded(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            if packet.size and packet.pts is not None:
                self._frames.add(bytes(packet), packet.pts * self._scale)


def _aac_encoder(rate: int, bitrate: int, layout: str = "stereo") -> AudioCodecContext:
    encoder = CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
    encoder.time_base = Fraction(1, rate)
    encoder.bit_rate = bitrate
    encoder.flags |= Flags.global_header
    encoder.open()
    return encoder


def _silence(layout: str, rate: int, samples: int) -> AudioFrame:
    frame = AudioFrame(format="fltp", layout=layout, samples=samples)
    frame.sample_rate = rate
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _silent_frame(like: AudioCodecContext) -> bytes | None:
    """Of AAC with as many channels, where these are laid out as usual."""
    layout = like.layout.name
    if layout not in _USUAL_LAYOUTS:
        return None
    try:
        encoder = _aac_encoder(like.sample_rate, 64_000, layout)
        packets = [*encoder.encode(_silence(layout, like.sample_rate, _FRAME)), *encoder.encode(None)]
        return bytes(packets[-1])
    except (av.FFmpegError, IndexError):
        return None
