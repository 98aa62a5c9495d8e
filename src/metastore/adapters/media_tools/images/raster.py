"""Probe and scale raster images: with libvips, HEIC with libheif, BMP and animated AVIF with Pillow."""

import io

import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import AvifImagePlugin, BmpImagePlugin, Image

from metastore.adapters.media_tools import webp
from metastore.adapters.media_tools.images import heic
from metastore.adapters.media_tools.limits import TruncatedFile, check_decoded, check_pixels
from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import ProbeResult

_LOADERS = ("Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif")
_MAX_FILE_SIZE = {"gif": 64 * 2**20, "webp": 256 * 2**20, "avif": 256 * 2**20}
"""Bytes read of formats that are loaded into memory; the first frame of an animation is near the beginning."""
_PILLOW_ERRORS = (OSError, ValueError, SyntaxError, EOFError, KeyError, RuntimeError)
_SIDEWAYS = (5, 6, 7, 8)
_sources: list[pyvips.SourceCustom] = []
_memory_errors: list[MemoryError] = []
_MEMORY_MESSAGES = ("out of memory", "creating thread")
"""libvips' messages for a lack of memory; a thread cannot be created without memory for its stack."""

# All other loaders are blocked; these read nothing but the bytes they are given.
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in _LOADERS:
    pyvips.operation_block_set(f"VipsForeignLoad{_loader}", False)
pyvips.cache_set_max(0)
Image.MAX_IMAGE_PIXELS = None  # Checked by ``check_pixels``.


def probe(source: SourceFile) -> ProbeResult:
    """Probe an image by its header.

    Raises:
        RefusedError: It is damaged or too large.
    """
    head = _read_head(source)
    if heic.is_heic(head):
        return _result("heif", heic.open_heic(source).size)
    if _needs_pillow(head):
        image = _open_with_pillow(source, head)
        return _result(str(image.format).lower(), image.size)
    return _check(_open_with_vips(source, head))


def thumbnails(source: SourceFile, sizes: list[int]) -> list[bytes]:
    """Return an image as WebP in all sizes, rotated upright, without metadata.

    Raises:
        RefusedError: It is damaged or too large.
    """
    head = _read_head(source)
    if _needs_pillow(head):
        try:
            return webp.from_pillow(_open_with_pillow(source, head), sizes)
        except _PILLOW_ERRORS as error:
            raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    try:
        if heic.is_heic(head):
            image = heic.as_vips(source)
            options = webp.thumbnail_options(image, max(sizes))
            return webp.from_vips(image.thumbnail_image(max(sizes), **options), sizes)
        image = _open_with_vips(source, head)
        _check(image)
        options = webp.thumbnail_options(image, max(sizes))
        # The loader scales while it reads, if the format allows it.
        thumbnail = pyvips.Image.thumbnail_source(_vips_source(source, head), max(sizes), **options)
        return webp.from_vips(thumbnail, sizes)
    except pyvips.Error as error:
        raise _translate(error) from error


def _translate(error: pyvips.Error) -> Exception:
    # A lack of memory says nothing about the image; another attempt may have more.
    message = str(error)
    is_memory_error = _memory_errors or any(part in message for part in _MEMORY_MESSAGES)
    return MemoryError(message) if is_memory_error else RefusedError(ReasonCode.PICTURE_UNREADABLE)


def _check(image: pyvips.Image) -> ProbeResult:
    """Refuse an image that is too large; return its probe result."""
    width, height = image.width, image.get_page_height()
    check_pixels(width, height)
    container = str(image.get("vips-loader")).partition("load")[0]
    _check_memory(image, container)
    if image.get_typeof("orientation") and image.get("orientation") in _SIDEWAYS:
        width, height = height, width
    return _result(container, (width, height))


def _check_memory(image: pyvips.Image, container: str) -> None:
    """Refuse an image of a format that has to be decoded as a whole if it does not fit into memory."""
    samples = image.width * image.get_page_height() * image.bands
    if container in ("gif", "webp", "heif"):
        check_decoded(samples)
    elif container == "png" and _is_interlaced(image):
        check_decoded(samples * (1 if image.format == "uchar" else 2))
    elif container == "jpeg" and _is_interlaced(image):
        check_decoded(samples * 2)


def _is_interlaced(image: pyvips.Image) -> bool:
    return bool(image.get_typeof("interlaced") and image.get("interlaced"))


def _open_with_vips(source: SourceFile, head: bytes) -> pyvips.Image:
    try:
        return pyvips.Image.new_from_source(_vips_source(source, head), "", access="sequential")
    except pyvips.Error as error:
        raise _translate(error) from error


def _needs_pillow(head: bytes) -> bool:
    return head.startswith(b"BM") or head[4:12] == b"ftypavis"


def _open_with_pillow(source: SourceFile, head: bytes) -> Image.Image:
    source.seek(0)
    image_file = BmpImagePlugin.BmpImageFile if head.startswith(b"BM") else AvifImagePlugin.AvifImageFile
    try:
        image = image_file(io.BufferedReader(TruncatedFile(source, _MAX_FILE_SIZE["avif"])))
    except _PILLOW_ERRORS as error:
        raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    check_pixels(*image.size)
    check_decoded(image.size[0] * image.size[1] * 4)
    return image


def _vips_source(source: SourceFile, head: bytes) -> pyvips.SourceCustom:
    container = "gif" if head.startswith(b"GIF8") else "webp" if head[8:12] == b"WEBP" else ""
    readable = TruncatedFile(source, _MAX_FILE_SIZE[container]) if container else source
    readable.seek(0)
    custom = pyvips.SourceCustom()

    def read(size: int) -> bytes:
        try:
            return readable.read(size)
        except MemoryError as error:
            _memory_errors.append(error)  # libvips would treat the exception as the end of the file
            return b""

    custom.on_read(read)
    custom.on_seek(readable.seek)
    # libvips uses the source for longer than the binding keeps a reference to it.
    _sources.append(custom)
    return custom


def _read_head(source: SourceFile) -> bytes:
    source.seek(0)
    return source.read(64)


def _result(container: str, size: tuple[int, int]) -> ProbeResult:
    return ProbeResult(container=container, width=size[0], height=size[1])
