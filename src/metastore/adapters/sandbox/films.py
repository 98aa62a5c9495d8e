"""How tasks open films and sounds with FFmpeg's libraries, and which of their streams are meant."""

import importlib
import pkgutil

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode

_FORMATS = (
    # None of them leads to other addresses, as playlists do; and no address can be opened.
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,h264,hevc,mxf,dv,"
    "mp3,flac,wav,w64,aiff,caf,aac,ac3,eac3,amr,ape,tta,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none", "probesize": str(8 * 2**20)}
# The binding imports some of its parts when it first meets a stream of their kind, which would be too late.
for _module in pkgutil.walk_packages(av.__path__, "av."):
    if _module.name.endswith((".stream", ".codeccontext")):
        importlib.import_module(_module.name)


def open_container(source: ParentBytes) -> InputContainer:
    """Its header, read.

    Raises:
        RefusedError: it is none.
    """
    source.seek(0)
    try:
        return av.open(source, "r", container_options=_OPTIONS, buffer_size=256 * 1024, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise RefusedError(ReasonCode.FILM_UNREADABLE) from error


def video_of(container: InputContainer) -> VideoStream | None:
    """The first moving picture that there is a decoder for."""
    return next((stream for stream in container.streams.video if not is_cover(stream) and has_decoder(stream)), None)


def is_cover(stream: VideoStream) -> bool:
    """Whether it is one picture that comes with a sound."""
    return bool(stream.disposition & Disposition.attached_pic)


def has_decoder(stream: Stream) -> bool:
    """Whether the stream can be decoded."""
    # The binding has no context when it cannot, which its types do not tell.
    context: CodecContext | None = stream.codec_context
    return context is not None
