"""Measure the time to the first segments of a film, and rendition ladders compared with ``ffmpeg``.

``ffmpeg`` creates the same ladder in one command: one decoding, the same rungs with the same encoder and settings, HLS
with fragmented MP4. The product runs two jobs, each in a sandboxed child process: one remuxes the audio (and the video,
if it can be copied, else it encodes the first segment of the smallest rung), then one encodes the rungs. Here the
segments are written to files. ``ffmpeg`` maps HDR films to SDR by its filters ``zscale`` and ``tonemap``.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.process import tree_cpu_seconds
from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.media_tools import Source
from metastore.ports.transcoder import AudioRendition, Job, Segment, Started, VideoRendition

SHORT_SECONDS, LONG_SECONDS, LADDER_SECONDS, HDR_SECONDS = 60, 1800, 20, 5
_BLOCK = 256 * 1024
_RUNGS = (
    VideoRendition("v1080", 1920, 1080, 5_000_000),
    VideoRendition("v720", 1280, 720, 2_800_000),
    VideoRendition("v480", 854, 480, 1_400_000),
    VideoRendition("v360", 640, 360, 800_000),
)
_SOUND = (AudioRendition("a0", 0, copy=True),)
_X264 = "-c:v libx264 -preset veryfast -profile:v high -crf 23 -flags +cgop -sc_threshold 0 -g 9999"
_CUTS = ["-force_key_frames", "expr:gte(t,n_forced*4)"]
_TO_SDR = (
    "zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0,"
    "zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv420p,"
)
_HLS = "-f hls -hls_time 4 -hls_playlist_type vod -hls_segment_type fmp4 -hls_fmp4_init_filename"


@dataclass
class Times:
    """Elapsed time and CPU time of the same work, in seconds, one value per round."""

    elapsed: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ladders:
    """Seconds until the first video and audio segments, and the times of the product and ``ffmpeg`` per ladder.

    Without ``zscale``, ``ffmpeg`` has no times for the HDR film.
    """

    first_of_short: float
    first_of_long: float
    first_of_hdr: float
    compared: Mapping[str, tuple[Times, Times]]
    hdr: tuple[Times, Times]


def measure_ladders(folder: Path, rounds: int = 3) -> Ladders:
    """Create the films, then measure them in interleaved rounds."""
    short = _make_film(folder / "short.mp4")
    long = folder / "long.mp4"
    repetitions = str(LONG_SECONDS // SHORT_SECONDS - 1)
    _ffmpeg("-stream_loop", repetitions, "-i", str(short), "-c", "copy", str(long))
    excerpt = folder / "excerpt.mp4"
    _ffmpeg("-i", str(short), "-t", str(LADDER_SECONDS), "-c", "copy", str(excerpt))
    hdr_film = _make_hdr_film(folder / "hdr.mp4")
    remuxing, leading = Job("v1080", _SOUND), Job(audio=_SOUND, rungs=_RUNGS[-1:], until=1)
    first = [
        median(asyncio.run(_first_segments(film, job)) for _ in range(rounds))
        for film, job in ((short, remuxing), (long, remuxing), (hdr_film, leading))
    ]
    compared: dict[str, tuple[Times, Times]] = {
        "1080 copied, 720, 480, 360": (Times(), Times()),
        "1080, 720, 480, 360": (Times(), Times()),
    }
    for number in range(rounds):
        for copied, (ours, theirs) in zip((True, False), compared.values(), strict=True):
            both = [
                (ours, lambda copied=copied: asyncio.run(_run_product(excerpt, folder, copied=copied))),
                (theirs, lambda copied=copied: _run_ffmpeg_ladder(excerpt, folder, copied=copied)),
            ]
            for times_of_one, work in both[:: 1 if number % 2 else -1]:
                _measure(times_of_one, work)
    return Ladders(first[0], first[1], first[2], compared, _compare_hdr(hdr_film, folder, rounds))


def _compare_hdr(film: Path, folder: Path, rounds: int) -> tuple[Times, Times]:
    ours, theirs = Times(), Times()
    for _ in range(rounds):
        _measure(ours, lambda: asyncio.run(_run_product(film, folder, copied=False)))
        if _has_zscale():
            _measure(theirs, lambda: _run_ffmpeg_ladder(film, folder, copied=False, mapping=_TO_SDR))
    return ours, theirs


def _measure(times: Times, work: Callable[[], None]) -> None:
    before, since = _cpu_seconds(), time.monotonic()
    work()
    times.elapsed.append(time.monotonic() - since)
    times.cpu.append(_cpu_seconds() - before)


def _cpu_seconds() -> float:
    """Return the CPU time of this process and all below it, ended ones included, in seconds."""
    return tree_cpu_seconds(os.getpid())


async def _first_segments(film: Path, job: Job) -> float:
    since = time.monotonic()
    missing = {job.copied_video or job.rungs[0].name, "a0"}
    work = SandboxedTranscoder().make(_source(film), job)
    async with aclosing(work):
        async for output in work:
            if isinstance(output, Segment):
                missing.discard(output.rendition)
            if not missing:
                break
    return time.monotonic() - since


async def _run_product(film: Path, folder: Path, *, copied: bool) -> None:
    await _store(film, folder, Job("v1080", _SOUND) if copied else Job(audio=_SOUND, rungs=_RUNGS[-1:], until=1))
    await _store(film, folder, Job(rungs=_RUNGS[copied:]))


async def _store(film: Path, folder: Path, job: Job) -> None:
    work = SandboxedTranscoder().make(_source(film), job)
    async with aclosing(work):
        async for output in work:
            if isinstance(output, Started):
                (folder / f"{output.rendition}-init.mp4").write_bytes(output.init)
            if isinstance(output, Segment):
                (folder / f"{output.rendition}-{output.number}.m4s").write_bytes(output.data)


def _source(film: Path) -> Source:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        with film.open("rb") as file:
            file.seek(offset)
            while length > 0 and (block := file.read(min(length, _BLOCK))):
                length -= len(block)
                yield block

    return Source(read, film.stat().st_size, "video/mp4")


def _run_ffmpeg_ladder(film: Path, folder: Path, *, copied: bool, mapping: str = "") -> None:
    rungs = _RUNGS[copied:]
    parts = "".join(f"[s{place}]" for place in range(len(rungs)))
    scaled = [
        f"[s{place}]scale={rung.width}:{rung.height}:flags=bicubic[{rung.name}]" for place, rung in enumerate(rungs)
    ]
    graph = ";".join([f"[0:v]{mapping}split={len(rungs)}{parts}", *scaled])
    outputs = [part for rung in rungs for part in _output(rung, folder)]
    sound = ["-map", "0:a:0", "-c:a", "copy", *_hls("a0", folder)]
    picture = ["-map", "0:v:0", "-c:v", "copy", *_hls("v1080", folder)] if copied else []
    # Scheduled like the product's child processes, so that other load on the machine favours neither.
    _ffmpeg("-i", str(film), "-filter_complex", graph, *outputs, *picture, *sound, prefix=("nice", "-n", "19"))


def _output(rung: VideoRendition, folder: Path) -> Sequence[str]:
    limit = ["-maxrate", str(rung.bitrate), "-bufsize", str(2 * rung.bitrate)]
    return ["-map", f"[{rung.name}]", *_X264.split(), *_CUTS, *limit, *_hls(rung.name, folder)]


def _hls(name: str, folder: Path) -> Sequence[str]:
    return [*_HLS.split(), f"{name}-init.mp4", str(folder / f"{name}.m3u8")]


def _make_film(path: Path) -> Path:
    """Create a minute of 1080p30 with motion and some noise, like camera footage."""
    picture = "testsrc2=size=1920x1080:rate=30,noise=alls=6:allf=t"
    encoding = "-c:v libx264 -preset superfast -b:v 6M -maxrate 8M -bufsize 16M -pix_fmt yuv420p -g 60 -c:a aac"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    _ffmpeg(*inputs, "-t", str(SHORT_SECONDS), *encoding.split(), str(path))
    return path


def _make_hdr_film(path: Path) -> Path:
    """Create a film of 1080p30 in HEVC with 10 bits and HLG, as phones record it."""
    picture = "testsrc2=size=1920x1080:rate=30,noise=alls=6:allf=t,format=yuv420p10le"
    colours = "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"
    encoding = f"-c:v libx265 -preset ultrafast -b:v 12M -x265-params log-level=error:{colours} -tag:v hvc1 -c:a aac"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    _ffmpeg(*inputs, "-t", str(HDR_SECONDS), *encoding.split(), str(path))
    return path


def _has_zscale() -> bool:
    listed = subprocess.run(["ffmpeg", "-v", "error", "-filters"], check=True, capture_output=True, text=True).stdout
    return " zscale " in listed


def _ffmpeg(*arguments: str, prefix: Sequence[str] = ()) -> None:
    subprocess.run([*prefix, "ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True)
