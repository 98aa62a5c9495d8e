"""Measure thumbnails of large images: throughput and peak memory, beside bare libvips.

Each image is reduced to 256 and 1024 pixels as the product does it: by a child process that requests the bytes from its
parent. As many run at once as there are cores. Progressive JPEG and interlaced PNG are the worst cases, because they
have to be decoded whole. Bare libvips does the same in processes that are warm and trust the file: it is called by
pyvips, with its default settings and at quality 80. ``measure_arrival`` measures the whole product.
"""

import asyncio
import io
import multiprocessing
import os
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pillow_heif
import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from benchmarks.load import Load
from benchmarks.servers.metastore import MetaStore
from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import Source

SIZES = (256, 1024)
EXTENTS = {12: (4000, 3000), 48: (8000, 6000)}
_ROUNDS, _PICTURES, _UPLOADERS, _WAIT_SECONDS = 4, 48, 3, 120
_CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Thumbnails:
    """Size of the file in bytes, images per second, seconds for one image alone, peak memory of a child in bytes.

    ``bare_rate`` is that of bare libvips; ``None`` if it cannot decode the format.
    """

    megapixels: int
    kind: str
    size: int
    rate: float
    alone: float
    peak: int
    bare_rate: float | None


@dataclass(frozen=True)
class Arrival:
    """Pictures that arrive in the whole product.

    Attributes:
        count: How many there are.
        rate: Pictures per second, from the first request until all are ready.
        cpu: Processor time for each, in seconds, of all processes.
        bare_rate: Pictures per second of bare libvips on as many cores.
        bare_cpu: The processor time for each of these.
        newest: Seconds until a picture has its thumbnail that arrives while the others wait.
    """

    count: int
    rate: float
    cpu: float
    bare_rate: float
    bare_cpu: float
    newest: float


def measure_thumbnails() -> Iterator[Thumbnails]:
    """Measure images of every format and size."""
    for megapixels, extent in EXTENTS.items():
        picture = _photo(*extent)
        for kind, write in _KINDS.items():
            content = write(picture)
            # In a fresh process, so that only its own children count.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                rate, alone, peak = pool.submit(_measure_in_process, content, kind).result()
            bare = None if kind == "HEIC" else _measure_bare(content, _ROUNDS)[0]
            yield Thumbnails(megapixels, kind, len(content), rate, alone, peak, bare)


def measure_arrival(load: Load, folder: Path) -> Arrival:
    """Upload photos of 12 megapixels faster than they are processed, then one more; wait until all are ready."""
    content = bytes(_photo(*EXTENTS[12]).jpegsave_buffer(Q=90))
    server = MetaStore(load, folder, 0)
    try:
        _upload(server, "warm", content)
        _wait(server, "name = 'warm.jpg'", 1)
        bare_rate, bare_cpu = _measure_bare(content, _PICTURES // _CORES)
        cpu, begin = server.process.cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(_UPLOADERS) as pool:
            for upload in [pool.submit(_upload, server, f"p{number}", content) for number in range(_PICTURES - 1)]:
                upload.result()
        _upload(server, "newest", content)
        arrived = time.perf_counter()
        _wait(server, "name = 'newest.jpg'", 1)
        newest = time.perf_counter() - arrived
        _wait(server, "status = 'READY'", _PICTURES + 1)
        seconds = time.perf_counter() - begin
        used = (server.process.cpu_seconds() - cpu) / _PICTURES
    finally:
        server.end()
    return Arrival(_PICTURES, _PICTURES / seconds, used, bare_rate, bare_cpu, newest)


def _upload(server: MetaStore, name: str, content: bytes) -> None:
    sent = {"file": (f"{name}.jpg", content + name.encode())}
    server.api.post("/api/v1/files/upload", files=sent, data={"path": "/"}).raise_for_status()


def _wait(server: MetaStore, condition: str, count: int) -> None:
    """Wait until ``count`` files that meet the condition have a thumbnail."""
    deadline = time.monotonic() + _WAIT_SECONDS
    counted = f"SELECT count(*) FROM nodes WHERE thumbnail_key IS NOT NULL AND {condition}"  # noqa: S608  by us
    with closing(sqlite3.connect(server.database)) as database:
        while database.execute(counted).fetchone()[0] < count:
            if time.monotonic() > deadline:
                raise TimeoutError("the pictures are not ready")
            time.sleep(0.01)


def _measure_bare(content: bytes, rounds: int) -> tuple[float, float]:
    """Return images per second of one process per core, and the processor time for each image in seconds."""
    with ProcessPoolExecutor(_CORES, mp_context=multiprocessing.get_context("forkserver")) as pool:
        list(pool.map(_bare, [content] * 2 * _CORES))  # starts the processes
        begin = time.perf_counter()
        cpu = sum(pool.map(_bare, [content] * rounds * _CORES))
        return rounds * _CORES / (time.perf_counter() - begin), cpu / (rounds * _CORES)


def _bare(content: bytes) -> float:
    """Make the thumbnails as the documentation of libvips does; return the processor time."""
    begin = time.process_time()
    pyvips.cache_set_max(0)
    pyvips.vips_lib.vips_concurrency_set(1)
    preview = pyvips.Image.thumbnail_buffer(content, 1024, size="down").copy_memory()
    for image in (preview, preview.thumbnail_image(256, size="down")):
        image.webpsave_buffer(Q=80, keep="none")
    return time.process_time() - begin


def _measure_in_process(content: bytes, kind: str) -> tuple[float, float, int]:
    return asyncio.run(_measure(content, f"image/{kind.rpartition(' ')[2].lower()}"))


async def _measure(content: bytes, mime_type: str) -> tuple[float, float, int]:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    async def repeat(count: int) -> float:
        begin = time.perf_counter()
        for _ in range(count):
            await tools.thumbnails(source, sizes=SIZES)
        return time.perf_counter() - begin

    tools, source = SandboxedMediaTools(), Source(read, len(content), mime_type)
    await repeat(1)
    alone = await repeat(_ROUNDS) / _ROUNDS
    begin = time.perf_counter()
    await asyncio.gather(*[repeat(_ROUNDS) for _ in range(_CORES)])
    rate = _CORES * _ROUNDS / (time.perf_counter() - begin)
    return rate, alone, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def _photo(width: int, height: int) -> pyvips.Image:
    """Create an image that compresses about as well as a photo."""
    grain = pyvips.Image.gaussnoise(1000, 1000, mean=0, sigma=30).gaussblur(2).replicate(width // 1000, height // 1000)
    place = pyvips.Image.xyz(width, height)
    colours = [grain + place[0] * (255 / width), grain + place[1] * (255 / height), grain + 128]
    return colours[0].bandjoin(colours[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()


def _heic(picture: pyvips.Image) -> bytes:
    written = io.BytesIO()
    image = Image.frombuffer("RGB", (picture.width, picture.height), picture.write_to_memory())
    pillow_heif.from_pillow(image).save(written, quality=70)
    return written.getvalue()


_KINDS: dict[str, Callable[[pyvips.Image], bytes]] = {
    "JPEG": lambda picture: bytes(picture.jpegsave_buffer(Q=90)),
    "progressive JPEG": lambda picture: bytes(picture.jpegsave_buffer(Q=90, interlace=True, subsample_mode="off")),
    "PNG": lambda picture: bytes(picture.pngsave_buffer(compression=3)),
    "interlaced PNG": lambda picture: bytes(picture.pngsave_buffer(compression=3, interlace=True)),
    "HEIC": _heic,
}
