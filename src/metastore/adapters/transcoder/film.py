"""The source, opened."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.transcoder.times import Clock

DAMAGED = "The film is damaged or of a kind that cannot be read."
_FORMATS = (
    # None of them leads to other addresses, as playlists do; and no address can be opened.
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,h264,hevc,mxf,dv,"
    "mp3,flac,wav,w64,aiff,caf,aac,ac3,eac3,amr,ape,tta,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none", "probesize": str(8 * 2**20)}
_MAX_BROKEN = 100
# The binding imports some of its parts when it first meets a stream of their kind, which would be too late.
for _module in pkgutil.walk_packages(av.__path__, "av."):
    if _module.name.endswith(".stream"):
        importlib.import_module(_module.name)


class Film:
    """A container with its streams.

    Raises:
        RefusedError: it cannot be read.
    """

    def __init__(self, source: ParentBytes) -> None:
        source.seek(0)
        options = {"container_options": _OPTIONS, "buffer_size": 256 * 1024, "metadata_errors": "ignore"}
        try:
            self.container: InputContainer = av.open(source, "r", **options)  # type: ignore[call-overload]  # as named there
        except (av.FFmpegError, ValueError) as error:
            raise RefusedError(DAMAGED) from error
        self.beginning_us = self.container.start_time or 0
        self.duration_us = max(0, self.container.duration or 0)

    def video(self) -> VideoStream:
        """The first moving picture; a cover is none.

        Raises:
            RefusedError: there is none.
        """
        for stream in self.container.streams.video:
            if not stream.disposition & Disposition.attached_pic and _has_decoder(stream):
                return stream
        raise RefusedError("There is no picture in the film.")

    def sound(self, index: int) -> AudioStream:
        """That track.

        Raises:
            RefusedError: there is none.
        """
        tracks = self.container.streams.audio
        if index >= len(tracks) or not _has_decoder(tracks[index]):
            raise RefusedError("There is no such sound in the film, or it is of a kind that cannot be read.")
        return tracks[index]

    def clock(self, stream: Stream) -> Clock:
        """That counts the stream's times.

        Raises:
            RefusedError: it has none.
        """
        if not stream.time_base:
            raise RefusedError(DAMAGED)
        return Clock(stream.time_base, self.beginning_us)

    def seek(self, stream: Stream, us: int) -> bool:
        """Go to a keyframe of the stream that is not after that time from the beginning, if there is a way."""
        if not stream.time_base:
            return False
        at = int((us + self.beginning_us) / (stream.time_base * 1_000_000))
        try:
            self.container.seek(at, stream=stream)
        except av.FFmpegError:
            return False
        return True

    def packets(self, streams: list[Stream]) -> "Iterator[Packet[Stream]]":
        """In the order of the file, as far as it can be read."""
        broken = 0
        reading = self.container.demux(streams)
        while broken < _MAX_BROKEN:
            try:
                packet = next(reading)
            except StopIteration:
                return
            except av.FFmpegError:
                # One that cannot be read leaves the iterator useless, but not what it reads from.
                broken += 1
                reading = self.container.demux(streams)
                continue
            if packet.size:
                yield packet


def decoded(packet: "Packet[Stream]") -> Sequence[VideoFrame | AudioFrame]:
    """Its frames; what cannot be decoded has none."""
    return _frames(packet.decode)


def rest_of(stream: VideoStream | AudioStream) -> Sequence[VideoFrame | AudioFrame]:
    """The frames that the decoder has held back."""
    return _frames(lambda: stream.codec_context.decode(None))


def _frames(decode: Callable[[], Sequence[object]]) -> Sequence[VideoFrame | AudioFrame]:
    try:
        return [frame for frame in decode() if isinstance(frame, VideoFrame | AudioFrame)]
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return []


def _has_decoder(stream: Stream) -> bool:
    try:
        return bool(stream.codec_context.name)
    except (ValueError, AttributeError):
        return False
