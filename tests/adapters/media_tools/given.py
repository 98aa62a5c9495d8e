"""What tools are given in tests, and what they answer."""

import io
from collections.abc import AsyncIterator

from PIL import Image

from metastore.ports.media_tools import Source


def source(content: bytes, mime_type: str) -> Source:
    """A file of these bytes."""

    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), mime_type)


def picture(kind: str = "JPEG", size: tuple[int, int] = (1200, 800), **options: object) -> bytes:
    """Noise, in colours."""
    return written(Image.effect_noise(size, 50).convert("RGB"), kind, **options)


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    """As a file."""
    encoded = io.BytesIO()
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def shown(data: bytes) -> Image.Image:
    """What people will see."""
    image = Image.open(io.BytesIO(data))
    assert "WEBP" == image.format
    return image


def near(expected: tuple[int, ...], image: Image.Image, at: tuple[int, int], by: int = 12) -> bool:
    """Whether the colour there is about that one."""
    found = image.convert("RGBA" if len(expected) == 4 else "RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(one - other) <= by for one, other in zip(expected, found, strict=True))
