"""Pictures, by libvips; HEIC by libheif."""

import io

import pillow_heif
import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from metastore.adapters.media_tools.bytes_from_parent import ParentBytes
from metastore.adapters.media_tools.refusal import RefusedError

MAX_PIXELS = 200_000_000
_MAX_HEIC = 100 * 2**20
_DAMAGED = "The picture is damaged or of a kind that cannot be read."
_held: list[pyvips.SourceCustom] = []
_LOADERS = ("Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif")

# All loaders are forbidden but these; what is left reads nothing but the bytes it is given.
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in _LOADERS:
    pyvips.operation_block_set(f"VipsForeignLoad{_loader}", False)
pyvips.cache_set_max(0)
Image.init()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def probe(source: ParentBytes) -> dict[str, str | int | None]:
    """What is in it; looks at the beginning alone."""
    try:
        image = pyvips.Image.new_from_source(_vips_source(source), "", access="sequential")
    except pyvips.Error as error:
        heic = _open_heic(source)
        if heic is None:
            raise RefusedError(_DAMAGED) from error
        return {"container": "heif", "width": heic.size[0], "height": heic.size[1]}
    width, height = image.width, image.get_page_height()
    _check_size(width, height)
    if image.get_typeof("orientation") and image.get("orientation") in (5, 6, 7, 8):
        width, height = height, width
    container = str(image.get("vips-loader")).partition("load")[0]
    return {"container": container, "width": width, "height": height}


def thumbnail(source: ParentBytes, pixels: int) -> bytes:
    """A WebP of it, turned upright, without metadata."""
    probe(source)
    source.seek(0)
    try:
        small = pyvips.Image.thumbnail_source(_vips_source(source), pixels, height=pixels, size="down")
        encoded = small.colourspace("srgb").webpsave_buffer(Q=80, keep="none")
    except pyvips.Error as error:
        heic = _open_heic(source)
        if heic is None:
            raise RefusedError(_DAMAGED) from error
        return as_webp(heic.to_pillow(), pixels)
    return bytes(encoded)


def as_webp(picture: Image.Image, pixels: int) -> bytes:
    """A picture made small, without metadata."""
    picture.thumbnail((pixels, pixels))
    clean = picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "PA") else "RGB")
    clean.info.clear()
    encoded = io.BytesIO()
    clean.save(encoded, "WEBP", quality=80)
    return encoded.getvalue()


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise RefusedError(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.")


def _open_heic(source: ParentBytes) -> pillow_heif.HeifFile | None:
    source.seek(0)
    if source.size > _MAX_HEIC or source.read(12)[4:8] != b"ftyp":
        return None
    source.seek(0)
    try:
        heic = pillow_heif.open_heif(io.BytesIO(source.read()), convert_hdr_to_8bit=True)
    except (ValueError, RuntimeError, OSError, SyntaxError, EOFError):
        return None
    _check_size(*heic.size)
    return heic


def _vips_source(source: ParentBytes) -> pyvips.SourceCustom:
    source.seek(0)
    custom = pyvips.SourceCustom()
    custom.on_read(source.read)
    custom.on_seek(source.seek)
    # libvips holds it longer than the binding knows.
    _held.append(custom)
    return custom
