"""Open audio and video containers with FFmpeg's libraries, and select their streams."""

import importlib
import pkgutil

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode

_FORMATS = (
    # None of these formats refers to other URLs, as playlists do; and no URL can be opened.
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,h264,hevc,mxf,dv,"
    "mp3,flac,wav,w64,aiff,caf,aac,ac3,eac3,amr,ape,tta,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none", "probesize": str(8 * 2**20)}
# PyAV imports some modules when it first meets a stream of their type. By then no file can be opened.
for _module in pkgutil.walk_packages(av.__path__, "av."):
    if _module.name.endswith((".stream", ".codeccontext")):
        importlib.import_module(_module.name)


def open_container(source: SourceFile) -> InputContainer:
    """Open the source and read its header.

    Raises:
        RefusedError: the source is not a supported container.
    """
    source.seek(0)
    try:
        return av.open(source, "r", container_options=_OPTIONS, buffer_size=256 * 1024, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise RefusedError(ReasonCode.FILM_UNREADABLE) from error


def video_of(container: InputContainer) -> VideoStream | None:
    """Return the first video stream that can be decoded and is not cover art."""
    return next((stream for stream in container.streams.video if not is_cover(stream) and has_decoder(stream)), None)


def is_cover(stream: VideoStream) -> bool:
    """Return whether the stream is cover art: a single picture attached to audio."""
    return bool(stream.disposition & Disposition.attached_pic)


def has_decoder(stream: Stream) -> bool:
    """Return whether the stream can be decoded."""
    # Without a decoder, PyAV returns no context, although its type annotations do not say so.
    context: CodecContext | None = stream.codec_context
    return context is not None
