"""The source, opened."""

from collections.abc import Callable, Iterator, Sequence

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.films import has_decoder, open_container, video_of
from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.transcoder.times import Clock
from metastore.kit.reason_codes import ReasonCode

_MAX_BROKEN = 100


class Film:
    """A container with its streams.

    Raises:
        RefusedError: it cannot be read.
    """

    def __init__(self, source: ParentBytes) -> None:
        self.container = open_container(source)
        self.beginning_us = self.container.start_time or 0
        self.duration_us = max(0, self.container.duration or 0)

    def video(self) -> VideoStream:
        """The first moving picture; a cover is none.

        Raises:
            RefusedError: there is none.
        """
        video = video_of(self.container)
        if video is None:
            raise RefusedError(ReasonCode.FILM_WITHOUT_PICTURE)
        return video

    def sound(self, index: int) -> AudioStream:
        """That track.

        Raises:
            RefusedError: there is none.
        """
        tracks = self.container.streams.audio
        if index >= len(tracks) or not has_decoder(tracks[index]):
            raise RefusedError(ReasonCode.AUDIO_TRACK_UNREADABLE)
        return tracks[index]

    def clock(self, stream: Stream) -> Clock:
        """That counts the stream's times.

        Raises:
            RefusedError: it has none.
        """
        if not stream.time_base:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
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
