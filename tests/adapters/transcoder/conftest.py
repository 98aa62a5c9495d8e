"""Sample videos, created on first use and kept for the session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.media import FLASH_AND_BEEP, make_clip

_MOVING = ["-f", "lavfi", "-i", "testsrc2=size={size}:rate={rate}"]
_TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2"]
_FRAGMENTED = ["-movflags", "+frag_keyframe+empty_moov"]
_AAC = ["-c:a", "aac", "-b:a", "64k"]
_VARYING_RATE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=50,select='not(mod(n\\,7))+lt(mod(n\\,50)\\,20)'"]


def _moving(size: str = "320x180", rate: str = "30") -> list[str]:
    return [part.format(size=size, rate=rate) for part in _MOVING]


_HDR = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
_HDR_PARAMETERS = "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
_GREY = ["-f", "lavfi", "-i", "color=black:size=320x180:rate=30,format=yuv420p10le,geq=lum={luma}:cb=512:cr=512"]
_X265_COLOURS = "log-level=error:lossless=1:colorprim=bt2020:colormatrix=bt2020nc:transfer="
_BRIGHT_SCREEN = ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"


def _grey(signal: float, transfer: str) -> list[str]:
    """Return the arguments for a wide-gamut clip of one grey, given as a share of the signal's range."""
    picture = [part.format(luma=round(64 + 876 * signal)) for part in _GREY]
    return [*picture, "-t", "0.2", *_X265, _X265_COLOURS + transfer]


_CORNER = ["-f", "lavfi", "-i", "color=black:size=320x180:rate=30,drawbox=c=white:t=fill:w=160:h=90"]

_LATE, _VERY_LATE = ["-itsoffset", "3.5"], ["-itsoffset", "13"]
_ORIGINAL_TIMES = [*_X264, *_AAC, "-vsync", "passthrough"]
_TONE_OF_2 = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"]

_COVER = ["-c:v", "mjpeg", "-disposition:v", "attached_pic"]
_ONE_PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=1:duration=1"]
_VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params"]
_NOISE_AND_LOW_TONE = ["-f", "lavfi", "-i", "anoisesrc=r=44100:a=0.1", "-f", "lavfi", "-i", "sine=sample_rate=8000"]
_THREE_TRACKS = (
    *("-map", "0", "-map", "1", "-map", "2"),
    *("-c:a:0", "ac3", "-ac:a:0", "6", "-c:a:1", "libopus", "-ac:a:1", "1", "-c:a:2", "pcm_s16le"),
)

CLIPS: dict[str, tuple[str, list[str]]] = {
    "plain": ("mp4", [*_moving(), *_TONE, "-t", "10", *_X264, "-g", "45", *_AAC]),
    "moov first": ("mp4", [*_moving(), *_TONE, "-t", "6", *_X264, "-g", "60", *_AAC, "-movflags", "+faststart"]),
    "in fragments": ("mp4", [*_moving(), *_TONE, "-t", "6", *_X264, "-g", "60", *_AAC, *_FRAGMENTED]),
    "29.97 in mkv": ("mkv", [*_moving(rate="30000/1001"), *_TONE, "-t", "10", *_X264, "-g", "60", *_AAC]),
    "rare keyframes": ("mp4", [*_moving(), "-t", "20", *_X264, "-g", "1000", "-sc_threshold", "0"]),
    "open groups": ("mp4", [*_moving(), "-t", "14", *_X264, "-g", "30", "-x264opts", "open-gop=1"]),
    "short open groups": ("mp4", [*_moving(), "-t", "9", *_X264, "-g", "30", "-x264opts", "open-gop=1"]),
    "flash": ("mp4", [*FLASH_AND_BEEP, "-t", "6", *_X264, "-g", "30", *_AAC]),
    "flash in mkv": ("mkv", [*FLASH_AND_BEEP, "-t", "6", *_X264, "-g", "30", "-c:a", "ac3"]),
    "flash in webm": ("webm", [*FLASH_AND_BEEP, "-t", "6", *_VP9]),
    "flash in ts": ("ts", [*FLASH_AND_BEEP, "-t", "6", *_X264, "-g", "30", "-c:a", "mp2"]),
    "late sound": ("mkv", [*FLASH_AND_BEEP[:4], "-itsoffset", "1", *FLASH_AND_BEEP[4:], "-t", "6", *_X264, *_AAC]),
    "late picture": ("mp4", [*_TONE, *_LATE, *_moving(), "-t", "7", *_ORIGINAL_TIMES, "-g", "30"]),
    "late picture in mkv": ("mkv", [*_TONE, *_LATE, *_moving(), "-t", "7", *_ORIGINAL_TIMES, "-g", "30"]),
    "very late picture": ("mp4", [*_TONE, *_VERY_LATE, *_moving(), "-t", "15", *_ORIGINAL_TIMES, "-g", "30"]),
    "long sound": ("mp4", [*_TONE, *_moving(rate="30:duration=3"), "-t", "9", *_X264, *_AAC]),
    "short sound": ("mp4", [*_TONE_OF_2, *_moving(), "-t", "9", *_X264, "-g", "30", *_AAC]),
    "corner": ("mp4", [*_CORNER, "-t", "0.2", *_X264]),
    "varying": ("mkv", [*_VARYING_RATE, "-t", "10", "-vsync", "vfr", *_X264, "-g", "50"]),
    "still": ("mp4", [*_moving(rate="1/7"), "-t", "28", "-vsync", "vfr", *_X264]),
    "odd": ("mkv", [*_moving("321x181"), "-t", "2", "-c:v", "ffv1", "-pix_fmt", "yuv444p"]),
    "hevc": ("mp4", [*_moving(), "-t", "5", *_X265, "log-level=error"]),
    "hdr": ("mp4", [*_moving(), "-t", "2", *_HDR, *_X265, _HDR_PARAMETERS]),
    "white paper in PQ": ("mp4", _grey(0.5807, "smpte2084")),
    "white paper in PQ for a bright screen": ("mp4", _grey(0.5807, "smpte2084" + _BRIGHT_SCREEN)),
    "white paper in HLG": ("mp4", _grey(0.75, "arib-std-b67")),
    "grey in a wide gamut": ("mp4", _grey(0.5, "bt709")),
    "interlaced": ("mp4", [*_moving(rate="25"), "-t", "3", *_X264, "-flags", "+ilme+ildct", "-x264opts", "tff=1"]),
    "anamorphic": ("mp4", [*_moving("240x180"), "-t", "2", "-vf", "setsar=4/3", *_X264]),
    "audio tracks": ("mkv", [*_TONE, *_NOISE_AND_LOW_TONE, *_THREE_TRACKS, "-t", "9"]),
    "sound alone": ("m4a", [*_TONE, "-t", "9", *_AAC]),
    "song with a cover": ("m4a", [*_TONE, *_ONE_PICTURE, "-t", "5", *_AAC, *_COVER]),
    "one frame": ("mp4", [*_moving(), "-frames:v", "1", *_X264]),
}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """A function that returns the clip of that name in ``CLIPS``."""
    folder: Path = tmp_path_factory.mktemp("clips")
    made: dict[str, bytes] = {}

    def get_or_create(name: str) -> bytes:
        if name not in made:
            suffix, arguments = CLIPS[name]
            made[name] = make_clip(folder / f"{name}.{suffix}", *arguments)
        return made[name]

    return get_or_create


@pytest.fixture(scope="session")
def trimmed_clip(clip: Callable[[str], bytes], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video whose first 1.3 seconds were cut off without encoding, so that an edit list skips them."""
    folder: Path = tmp_path_factory.mktemp("trimmed")
    (folder / "whole.mp4").write_bytes(clip("plain"))
    return make_clip(folder / "trimmed.mp4", "-ss", "1.3", "-i", str(folder / "whole.mp4"), "-c", "copy")


@pytest.fixture(scope="session")
def joined_clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two concatenated recordings. In the second one, timestamps restart and there are more channels."""
    folder: Path = tmp_path_factory.mktemp("joined")
    parts = [
        make_clip(folder / f"{channels}.ts", *_moving(), *_TONE, "-t", "3", *_X264, "-c:a", "ac3", "-ac", channels)
        for channels in ("2", "6")
    ]
    return b"".join(parts)
