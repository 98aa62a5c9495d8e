"""Pictures, by libvips; HEIC by libheif, BMP and AVIF that moves by Pillow."""

import io

import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import AvifImagePlugin, BmpImagePlugin, Image

from metastore.adapters.media_tools import heic, webp
from metastore.adapters.media_tools.limits import Beginning, check_decoded, check_pixels
from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaFacts

_LOADERS = ("Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif")
_MAPPED = {"gif": 64 * 2**20, "webp": 256 * 2**20, "avif": 256 * 2**20}
"""What is taken into memory whole. Of a GIF with a film in it the first frame is near the beginning."""
_PILLOW_ERRORS = (OSError, ValueError, SyntaxError, EOFError, KeyError, RuntimeError)
_SIDEWAYS = (5, 6, 7, 8)
_held: list[pyvips.SourceCustom] = []
_starved: list[MemoryError] = []
_WANTS = ("out of memory", "creating thread")
"""What libvips says when there is too little memory, which a thread's stack takes as well."""

# All loaders are forbidden but these; what is left reads nothing but the bytes it is given.
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in _LOADERS:
    pyvips.operation_block_set(f"VipsForeignLoad{_loader}", False)
pyvips.cache_set_max(0)
Image.MAX_IMAGE_PIXELS = None  # We count ourselves.


def probe(source: ParentBytes) -> MediaFacts:
    """What is in it; looks at the beginning alone."""
    head = _head(source)
    if heic.is_heic(head):
        return _sized("heif", heic.open_heic(source).size)
    if _is_for_pillow(head):
        picture = _open_by_pillow(source, head)
        return _sized(str(picture.format).lower(), picture.size)
    return _facts(_open(source, head))


def thumbnails(source: ParentBytes, sizes: list[int]) -> list[bytes]:
    """WebPs of it, turned upright, without metadata."""
    head = _head(source)
    if _is_for_pillow(head):
        try:
            return webp.from_pillow(_open_by_pillow(source, head), sizes)
        except _PILLOW_ERRORS as error:
            raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    fitting = webp.fitting(max(sizes))
    try:
        if heic.is_heic(head):
            return webp.from_vips(heic.as_vips(source).thumbnail_image(max(sizes), **fitting), sizes)
        _facts(_open(source, head))
        # The loader makes it smaller while it reads, as far as its format allows.
        fitted = pyvips.Image.thumbnail_source(_vips_source(source, head), max(sizes), **fitting)
        return webp.from_vips(fitted, sizes)
    except pyvips.Error as error:
        raise _told(error) from error


def _told(error: pyvips.Error) -> Exception:
    # Want of memory says nothing about the picture: another try may have more.
    told = str(error)
    return (
        MemoryError(told)
        if _starved or any(want in told for want in _WANTS)
        else RefusedError(ReasonCode.PICTURE_UNREADABLE)
    )


def _facts(image: pyvips.Image) -> MediaFacts:
    width, height = image.width, image.get_page_height()
    check_pixels(width, height)
    container = str(image.get("vips-loader")).partition("load")[0]
    _check_memory(image, container)
    if image.get_typeof("orientation") and image.get("orientation") in _SIDEWAYS:
        width, height = height, width
    return _sized(container, (width, height))


def _check_memory(image: pyvips.Image, container: str) -> None:
    """Refuse what has to be decoded whole, and does not fit."""
    samples = image.width * image.get_page_height() * image.bands
    if container in ("gif", "webp", "heif"):
        check_decoded(samples)
    elif container == "png" and _is_interlaced(image):
        check_decoded(samples * (1 if image.format == "uchar" else 2))
    elif container == "jpeg" and _is_interlaced(image):
        check_decoded(samples * 2)


def _is_interlaced(image: pyvips.Image) -> bool:
    return bool(image.get_typeof("interlaced") and image.get("interlaced"))


def _open(source: ParentBytes, head: bytes) -> pyvips.Image:
    try:
        return pyvips.Image.new_from_source(_vips_source(source, head), "", access="sequential")
    except pyvips.Error as error:
        raise _told(error) from error


def _is_for_pillow(head: bytes) -> bool:
    return head.startswith(b"BM") or head[4:12] == b"ftypavis"


def _open_by_pillow(source: ParentBytes, head: bytes) -> Image.Image:
    source.seek(0)
    kind = BmpImagePlugin.BmpImageFile if head.startswith(b"BM") else AvifImagePlugin.AvifImageFile
    try:
        picture = kind(io.BufferedReader(Beginning(source, _MAPPED["avif"])))
    except _PILLOW_ERRORS as error:
        raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    check_pixels(*picture.size)
    check_decoded(picture.size[0] * picture.size[1] * 4)
    return picture


def _vips_source(source: ParentBytes, head: bytes) -> pyvips.SourceCustom:
    kind = "gif" if head.startswith(b"GIF8") else "webp" if head[8:12] == b"WEBP" else ""
    readable = Beginning(source, _MAPPED[kind]) if kind else source
    readable.seek(0)
    custom = pyvips.SourceCustom()

    def read(size: int) -> bytes:
        try:
            return readable.read(size)
        except MemoryError as error:
            _starved.append(error)  # libvips would only learn that there are no more bytes
            return b""

    custom.on_read(read)
    custom.on_seek(readable.seek)
    # libvips holds it longer than the binding knows.
    _held.append(custom)
    return custom


def _head(source: ParentBytes) -> bytes:
    source.seek(0)
    return source.read(64)


def _sized(container: str, size: tuple[int, int]) -> MediaFacts:
    return MediaFacts(container=container, width=size[0], height=size[1])
