"""Films, by FFmpeg's libraries."""

import importlib
import io
import pkgutil

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from metastore.adapters.media_tools.bytes_from_parent import ParentBytes
from metastore.adapters.media_tools.refusal import RefusedError

_DAMAGED = "The film is damaged or of a kind that cannot be read."
_NOTHING_TO_SEE = "There is no picture in the film."
_MAX_PIXELS = 70_000_000
_MAX_PACKETS = 2000
_LATEST_START = 3 * 1_000_000
_OPTIONS = {
    # None of them leads to other addresses, as playlists do; and no address can be opened.
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,h264,hevc",
    "protocol_whitelist": "none",
    "probesize": str(8 * 2**20),
}
Image.init()
# The binding imports some of its parts when it first meets a stream of their kind, which would be too late.
for _module in pkgutil.walk_packages(av.__path__, "av."):
    if _module.name.endswith(".stream"):
        importlib.import_module(_module.name)


def probe(source: ParentBytes) -> dict[str, str | int | None]:
    """What is in it."""
    with _open(source) as container:
        video = _video_of(container)
        audio = next(iter(container.streams.audio), None)
        if video is None and audio is None:
            raise RefusedError(_DAMAGED)
        return {
            "container": container.format.name[:50],
            "width": video.codec_context.width if video else None,
            "height": video.codec_context.height if video else None,
            "duration_ms": container.duration // 1000 if container.duration and container.duration > 0 else None,
            "video_codec": video.codec_context.name[:50] if video else None,
            "audio_codec": audio.codec_context.name[:50] if audio else None,
        }


def thumbnail(source: ParentBytes, pixels: int) -> bytes:
    """A WebP of a frame near the beginning, as the film is meant to be held."""
    with _open(source) as container:
        video = _video_of(container)
        if video is None:
            raise RefusedError(_NOTHING_TO_SEE)
        context = video.codec_context
        if context.width * context.height > _MAX_PIXELS:
            raise RefusedError("The film's pictures are too large.")
        context.thread_count = 1
        frame = _frame(container, video)
        factor = min(1.0, 2 * pixels / max(frame.width, frame.height))
        width, height = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
        small = frame.reformat(width=width, height=height, format="rgb24")
        picture: Image.Image = small.to_image()  # type: ignore[no-untyped-call]  # left untyped there
        picture = picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
        picture.thumbnail((pixels, pixels))
        encoded = io.BytesIO()
        picture.save(encoded, "WEBP", quality=80)
        return encoded.getvalue()


def _open(source: ParentBytes) -> InputContainer:
    source.seek(0)
    try:
        return av.open(source, "r", container_options=_OPTIONS, buffer_size=256 * 1024, metadata_errors="ignore")
    except (av.FFmpegError, ValueError) as error:
        raise RefusedError(_DAMAGED) from error


def _video_of(container: InputContainer) -> VideoStream | None:
    return next(iter(container.streams.video), None)


def _frame(container: InputContainer, video: VideoStream) -> av.VideoFrame:
    start = min(_LATEST_START, (container.duration or 0) // 10)
    for offset in {start, 0}:
        try:
            if offset != start or start:
                container.seek(offset)
            for number, packet in enumerate(container.demux(video)):
                for frame in packet.decode():
                    return frame
                if number > _MAX_PACKETS:
                    break
        except av.FFmpegError:
            continue
    raise RefusedError(_DAMAGED)
