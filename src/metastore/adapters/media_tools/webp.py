"""Scale images down and encode them as WebP without metadata."""

import io

import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

QUALITY = 80
Image.init()


def thumbnail_options(pixels: int, *, enlarge: bool = False) -> dict[str, str | int]:
    """Return libvips' options for an upright sRGB thumbnail that fits a square of ``pixels`` pixels."""
    return {"height": pixels, "size": "both" if enlarge else "down", "output_profile": "srgb", "intent": "relative"}


def from_vips(image: pyvips.Image, sizes: list[int]) -> list[bytes]:
    """Encode an image to fit squares of ``sizes`` pixels, decoding it once. It must already fit the largest."""
    largest = image.colourspace("srgb").cast("uchar").copy_memory()
    return [
        bytes(largest.thumbnail_image(size, height=size, size="down").webpsave_buffer(Q=QUALITY, keep="none"))
        for size in sizes
    ]


def from_pillow(image: Image.Image, sizes: list[int]) -> list[bytes]:
    """Encode an image to fit squares of ``sizes`` pixels, without enlarging it."""
    converted = image.convert("RGBA" if image.mode in ("RGBA", "LA", "PA") else "RGB")
    encoded = []
    for size in sizes:
        thumbnail = converted.copy()
        thumbnail.thumbnail((size, size))
        thumbnail.info.clear()
        encoded.append(encode(thumbnail))
    return encoded


def encode(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Encode an image as WebP."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()
