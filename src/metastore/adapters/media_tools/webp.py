"""Pictures made small, as WebP without a word about their making."""

import io

import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

QUALITY = 80
Image.init()


def fitting(pixels: int, *, enlarge: bool = False) -> dict[str, str | int]:
    """What libvips is told of a thumbnail in a square of so many pixels: turned upright, in the colours of screens."""
    return {"height": pixels, "size": "both" if enlarge else "down", "output_profile": "srgb", "intent": "relative"}


def from_vips(fitted: pyvips.Image, sizes: list[int]) -> list[bytes]:
    """In squares of those sizes, in their order; ``fitted`` into the largest, and read once."""
    largest = fitted.colourspace("srgb").cast("uchar").copy_memory()
    return [
        bytes(largest.thumbnail_image(size, height=size, size="down").webpsave_buffer(Q=QUALITY, keep="none"))
        for size in sizes
    ]


def from_pillow(picture: Image.Image, sizes: list[int]) -> list[bytes]:
    """In squares of those sizes, in their order; none is larger than the picture."""
    clean = picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "PA") else "RGB")
    made = []
    for size in sizes:
        small = clean.copy()
        small.thumbnail((size, size))
        small.info.clear()
        made.append(encoded(small))
    return made


def encoded(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """As WebP."""
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=quality)
    return written.getvalue()
