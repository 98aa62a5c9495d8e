"""Sample files, and checks of the images that tools return."""

import io
from collections.abc import AsyncIterator

from PIL import Image

from metastore.ports.media_tools import Source


def source(content: bytes, mime_type: str) -> Source:
    """Return a source of bytes in memory."""

    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), mime_type)


def noise(kind: str = "JPEG", size: tuple[int, int] = (1200, 800), **options: object) -> bytes:
    """Return an image file of noise."""
    return encoded(Image.effect_noise(size, 50).convert("RGB"), kind, **options)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    """Decode a WebP image."""
    image = Image.open(io.BytesIO(data))
    assert "WEBP" == image.format
    return image


def has_colour(expected: tuple[int, ...], image: Image.Image, at: tuple[int, int], tolerance: int = 12) -> bool:
    """Return whether a pixel has about the expected colour."""
    actual = image.convert("RGBA" if len(expected) == 4 else "RGB").getpixel(at)
    assert isinstance(actual, tuple)
    return all(abs(one - other) <= tolerance for one, other in zip(expected, actual, strict=True))
