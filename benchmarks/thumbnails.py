"""Measure thumbnails of large images: throughput and peak memory.

Each image is reduced to 256 and 1024 pixels as the product does it: by a child process that requests the bytes from its
parent. As many run at once as there are cores. Progressive JPEG and interlaced PNG are the worst cases, because they
have to be decoded whole.
"""

import asyncio
import io
import multiprocessing
import os
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pillow_heif
import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import Source

SIZES = (256, 1024)
EXTENTS = {12: (4000, 3000), 48: (8000, 6000)}
_ROUNDS = 4


@dataclass(frozen=True)
class Thumbnails:
    """Size of the file in bytes, images per second, seconds for one image alone, peak memory of a child in bytes."""

    megapixels: int
    kind: str
    size: int
    rate: float
    alone: float
    peak: int


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
            yield Thumbnails(megapixels, kind, len(content), rate, alone, peak)


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
    cores = os.cpu_count() or 1
    begin = time.perf_counter()
    await asyncio.gather(*[repeat(_ROUNDS) for _ in range(cores)])
    rate = cores * _ROUNDS / (time.perf_counter() - begin)
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
