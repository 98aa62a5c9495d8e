"""Open the source of a job, read its packets and decode its frames."""

from collections.abc import Callable, Iterator, Sequence

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.containers import has_decoder, open_container, video_of
from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.adapters.transcoder.timeline import Timeline
from metastore.kit.problems.reason_codes import ReasonCode

_MAX_READ_ERRORS = 100


class Demuxer:
    """An opened container with its streams.

    Raises:
        RefusedError: The source cannot be read.
    """

    def __init__(self, source: SourceFile) -> None:
        self.container = open_container(source)
        self.start_us = self.container.start_time or 0
        self.duration_us = max(0, self.container.duration or 0)

    def video_stream(self) -> VideoStream:
        """Return the first video stream that is not a cover.

        Raises:
            RefusedError: There is none.
        """
        video = video_of(self.container)
        if video is None:
            raise RefusedError(ReasonCode.FILM_WITHOUT_PICTURE)
        return video

    def audio_stream(self, index: int) -> AudioStream:
        """Return an audio stream.

        Raises:
            RefusedError: It does not exist or has no decoder.
        """
        tracks = self.container.streams.audio
        if index >= len(tracks) or not has_decoder(tracks[index]):
            raise RefusedError(ReasonCode.AUDIO_TRACK_UNREADABLE)
        return tracks[index]

    def timeline(self, stream: Stream) -> Timeline:
        """Return the timeline of a stream.

        Raises:
            RefusedError: The stream has no time base.
        """
        if not stream.time_base:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        return Timeline(stream.time_base, self.start_us)

    def seek(self, stream: Stream, us: int) -> bool:
        """Seek to the last keyframe at or before a time since the start; return whether that is possible."""
        if not stream.time_base:
            return False
        timestamp = int((us + self.start_us) / (stream.time_base * 1_000_000))
        try:
            self.container.seek(timestamp, stream=stream)
        except av.FFmpegError:
            return False
        return True

    def packets(self, streams: list[Stream]) -> "Iterator[Packet[Stream]]":
        """Yield the packets of the streams in file order, as far as the file can be read."""
        errors = 0
        packets = self.container.demux(streams)
        while errors < _MAX_READ_ERRORS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                # An unreadable packet ends the iterator, but the container can still be read.
                errors += 1
                packets = self.container.demux(streams)
                continue
            if packet.size:
                yield packet


def decode(packet: "Packet[Stream]") -> Sequence[VideoFrame | AudioFrame]:
    """Decode a packet; return no frames if it is damaged."""
    return _frames(packet.decode)


def flush_decoder(stream: VideoStream | AudioStream) -> Sequence[VideoFrame | AudioFrame]:
    """Return the frames that the decoder has delayed."""
    return _frames(lambda: stream.codec_context.decode(None))


def _frames(decode_frames: Callable[[], Sequence[object]]) -> Sequence[VideoFrame | AudioFrame]:
    try:
        return [frame for frame in decode_frames() if isinstance(frame, VideoFrame | AudioFrame)]
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return []
