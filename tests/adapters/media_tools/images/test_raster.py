"""Raster images of all formats are probed and scaled down."""

import io
import struct
import zlib
from collections.abc import Callable

import pillow_heif
import pytest
import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.adapters.media_tools.webp import thumbnail_options
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, NoPictureError
from tests.adapters.media_tools.sample_files import decoded, encoded, has_colour, noise, source

SIZES = [256, 1024]
RED = (254, 0, 0)


def heic(**options: object) -> bytes:
    encoded = io.BytesIO()
    pillow_heif.from_pillow(Image.effect_noise((1200, 800), 50).convert("RGB")).save(encoded, quality=50, **options)
    return encoded.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP", "HEIC"])
async def test_an_image_is_probed_and_scaled_to_both_sizes(kind: str) -> None:
    content = heic() if kind == "HEIC" else noise(kind)
    tools, given = SandboxedMediaTools(), source(content, f"image/{kind.lower()}")
    probed = await tools.probe(given)
    assert (1200, 800) == (probed.width, probed.height)
    small, large = map(decoded, await tools.thumbnails(given, sizes=SIZES))
    assert ((256, 171), (1024, 683)) == (small.size, large.size)


async def test_a_small_image_is_not_enlarged() -> None:
    made = await SandboxedMediaTools().thumbnails(source(noise("PNG", (90, 60)), "image/png"), sizes=SIZES)
    assert [(90, 60), (90, 60)] == [decoded(one).size for one in made]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_an_image_is_rotated_by_its_exif_tag_and_has_no_metadata_left(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at my home"
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 1.0, 42.5)})
    tools, given = SandboxedMediaTools(), source(noise(kind, exif=exif), f"image/{kind.lower()}")
    probed = await tools.probe(given)
    assert (800, 1200) == (probed.width, probed.height)
    for data in await tools.thumbnails(given, sizes=SIZES):
        image = decoded(data)
        assert image.width < image.height
        assert not image.getexif()
        assert b"my home" not in data
        assert not {"icc_profile", "xmp", "exif"} & set(image.info)


async def test_transparency_is_kept() -> None:
    image = Image.new("RGBA", (600, 400), (0, 0, 255, 0))
    image.paste((255, 0, 0, 255), (0, 0, 300, 400))
    palette = image.quantize(8)
    for content, kind in (
        (encoded(image, "PNG"), "png"),
        (encoded(palette, "PNG"), "png"),
        (encoded(image, "WEBP"), "webp"),
    ):
        (made,) = await SandboxedMediaTools().thumbnails(source(content, f"image/{kind}"), sizes=[256])
        assert has_colour((*RED, 255), decoded(made), (50, 50))
        assert 0 == decoded(made).convert("RGBA").getpixel((240, 50))[3]  # type: ignore[index]  # a colour with four parts


async def test_colours_are_converted_to_srgb() -> None:
    red = pyvips.Image.black(400, 300, bands=3).linear(1, [255, 0, 0]).cast("uchar").copy(interpretation="srgb")
    wide = red.icc_transform("p3", input_profile="srgb")
    cmyk = red.icc_transform("cmyk", input_profile="srgb")
    deep = (red.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    for content, kind in (
        (wide.jpegsave_buffer(Q=95), "jpeg"),
        (cmyk.jpegsave_buffer(Q=95), "jpeg"),
        (cmyk.tiffsave_buffer(), "tiff"),
        (deep.tiffsave_buffer(), "tiff"),
        (deep.pngsave_buffer(), "png"),
    ):
        (made,) = await SandboxedMediaTools().thumbnails(source(content, f"image/{kind}"), sizes=[256])
        # CMYK has no pure red.
        assert has_colour(RED, decoded(made), (50, 50), tolerance=50)
        assert "RGB" == decoded(made).mode


@pytest.mark.parametrize("interpretation", ["srgb", "b-w"])
def test_an_image_without_a_profile_looks_the_same_without_being_converted(interpretation: str) -> None:
    picture = pyvips.Image.new_from_buffer(noise(), "").colourspace(interpretation)
    given = pyvips.Image.new_from_buffer(picture.pngsave_buffer(), "")
    made, converted = (
        given.thumbnail_image(90, **options).colourspace("srgb").write_to_memory()
        for options in (thumbnail_options(given, 90), {"output_profile": "srgb", "intent": "relative", "height": 90})
    )
    assert made == converted


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "AVIF", "PNG"])
async def test_the_first_frame_or_page_is_shown(kind: str) -> None:
    first, others = Image.new("RGB", (300, 200), RED), [Image.new("RGB", (300, 200), "blue")] * 3
    content = encoded(first, kind, save_all=True, append_images=others)
    tools, given = SandboxedMediaTools(), source(content, f"image/{kind.lower()}")
    probed = await tools.probe(given)
    assert (300, 200) == (probed.width, probed.height)
    (made,) = await tools.thumbnails(given, sizes=[256])
    assert has_colour(RED, decoded(made), (50, 50))


async def test_a_truncated_image_is_shown() -> None:
    whole = noise()
    assert await SandboxedMediaTools().thumbnails(source(whole[: len(whole) // 2], "image/jpeg"), sizes=SIZES)


def _png_header(width: int, height: int, *, interlaced: bool = False) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _gif_bomb() -> bytes:
    """Return an animation of many frames on a canvas of four gigapixels."""
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0"
    return b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff" + frame * 200_000 + b";"


@pytest.mark.parametrize(
    ("make", "kind", "code"),
    [
        (lambda: _png_header(50_000, 50_000), "png", ReasonCode.PICTURE_TOO_MANY_PIXELS),
        (lambda: _png_header(14_000, 14_000, interlaced=True), "png", ReasonCode.PICTURE_TOO_LARGE),
        (_gif_bomb, "gif", ReasonCode.PICTURE_TOO_MANY_PIXELS),
        (
            lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
            "bmp",
            ReasonCode.PICTURE_TOO_MANY_PIXELS,
        ),
        (lambda: heic()[:300], "heic", ReasonCode.PICTURE_UNREADABLE),
        (lambda: b"", "png", ReasonCode.PICTURE_UNREADABLE),
        (lambda: b"hello " * 100, "jpeg", ReasonCode.PICTURE_UNREADABLE),
        (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>', "png", ReasonCode.PICTURE_UNREADABLE),
    ],
)
async def test_an_image_that_is_too_large_or_damaged_is_refused_with_a_code(
    make: Callable[[], bytes], kind: str, code: ReasonCode
) -> None:
    given = source(make(), f"image/{kind}")
    for work in (SandboxedMediaTools().probe(given), SandboxedMediaTools().thumbnails(given, sizes=SIZES)):
        with pytest.raises(MediaRefusedError) as refusal:
            await work
        assert code is refusal.value.code
        assert not isinstance(refusal.value, NoPictureError)


async def test_only_the_first_frame_of_a_long_animation_is_decoded() -> None:
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    content = b"GIF89a\1\0\1\0\x80\0\0\xfe\0\0\xff\xff\xff" + frame * 20_000 + b";"
    (made,) = await SandboxedMediaTools().thumbnails(source(content, "image/gif"), sizes=[256])
    assert (1, 1) == decoded(made).size
