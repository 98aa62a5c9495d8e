"""Pictures of any kind are measured and made small."""

import io
import struct
import zlib
from collections.abc import Callable

import pillow_heif
import pytest
import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from metastore.adapters.media_tools.tools import ChildProcessTools
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, NothingToSeeError
from tests.adapters.media_tools.given import near, picture, shown, source, written

SIZES = [256, 1024]
RED = (254, 0, 0)


def heic(**options: object) -> bytes:
    encoded = io.BytesIO()
    pillow_heif.from_pillow(Image.effect_noise((1200, 800), 50).convert("RGB")).save(encoded, quality=50, **options)
    return encoded.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP", "HEIC"])
async def test_a_picture_is_measured_and_made_small_twice(kind: str) -> None:
    content = heic() if kind == "HEIC" else picture(kind)
    tools, given = ChildProcessTools(), source(content, f"image/{kind.lower()}")
    facts = await tools.probe(given)
    assert (1200, 800) == (facts.width, facts.height)
    small, large = map(shown, await tools.thumbnails(given, sizes=SIZES))
    assert ((256, 171), (1024, 683)) == (small.size, large.size)


async def test_a_small_picture_is_not_enlarged() -> None:
    made = await ChildProcessTools().thumbnails(source(picture("PNG", (90, 60)), "image/png"), sizes=SIZES)
    assert [(90, 60), (90, 60)] == [shown(one).size for one in made]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_a_picture_is_turned_as_its_camera_was_held_and_tells_nothing_more(kind: str) -> None:
    about = Image.Exif()
    about[0x0112], about[0x010E] = 6, "taken at my home"
    about.get_ifd(0x8825).update({1: "N", 2: (21.0, 1.0, 42.5)})
    tools, given = ChildProcessTools(), source(picture(kind, exif=about), f"image/{kind.lower()}")
    facts = await tools.probe(given)
    assert (800, 1200) == (facts.width, facts.height)
    for data in await tools.thumbnails(given, sizes=SIZES):
        image = shown(data)
        assert image.width < image.height
        assert not image.getexif()
        assert b"my home" not in data
        assert not {"icc_profile", "xmp", "exif"} & set(image.info)


async def test_what_can_be_seen_through_stays_so() -> None:
    image = Image.new("RGBA", (600, 400), (0, 0, 255, 0))
    image.paste((255, 0, 0, 255), (0, 0, 300, 400))
    palette = image.quantize(8)
    for content, kind in (
        (written(image, "PNG"), "png"),
        (written(palette, "PNG"), "png"),
        (written(image, "WEBP"), "webp"),
    ):
        (made,) = await ChildProcessTools().thumbnails(source(content, f"image/{kind}"), sizes=[256])
        assert near((*RED, 255), shown(made), (50, 50))
        assert 0 == shown(made).convert("RGBA").getpixel((240, 50))[3]  # type: ignore[index]  # a colour with four parts


async def test_colours_of_other_spaces_become_those_of_screens() -> None:
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
        (made,) = await ChildProcessTools().thumbnails(source(content, f"image/{kind}"), sizes=[256])
        # Printers know no pure red.
        assert near(RED, shown(made), (50, 50), by=50)
        assert "RGB" == shown(made).mode


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "AVIF", "PNG"])
async def test_of_a_moving_picture_or_one_with_pages_the_first_is_shown(kind: str) -> None:
    first, others = Image.new("RGB", (300, 200), RED), [Image.new("RGB", (300, 200), "blue")] * 3
    content = written(first, kind, save_all=True, append_images=others)
    tools, given = ChildProcessTools(), source(content, f"image/{kind.lower()}")
    facts = await tools.probe(given)
    assert (300, 200) == (facts.width, facts.height)
    (made,) = await tools.thumbnails(given, sizes=[256])
    assert near(RED, shown(made), (50, 50))


async def test_half_a_picture_is_still_shown() -> None:
    whole = picture()
    assert await ChildProcessTools().thumbnails(source(whole[: len(whole) // 2], "image/jpeg"), sizes=SIZES)


def _png_header(width: int, height: int, *, interlaced: bool = False) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _gif_bomb() -> bytes:
    """A canvas of four gigapixels that a great many frames fill."""
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
async def test_what_is_too_large_or_damaged_is_refused_with_a_code(
    make: Callable[[], bytes], kind: str, code: ReasonCode
) -> None:
    given = source(make(), f"image/{kind}")
    for work in (ChildProcessTools().probe(given), ChildProcessTools().thumbnails(given, sizes=SIZES)):
        with pytest.raises(MediaRefusedError) as refusal:
            await work
        assert code is refusal.value.code
        assert not isinstance(refusal.value, NothingToSeeError)


async def test_a_moving_picture_of_any_length_costs_no_more_than_its_first_frame() -> None:
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    content = b"GIF89a\1\0\1\0\x80\0\0\xfe\0\0\xff\xff\xff" + frame * 20_000 + b";"
    (made,) = await ChildProcessTools().thumbnails(source(content, "image/gif"), sizes=[256])
    assert (1, 1) == shown(made).size
