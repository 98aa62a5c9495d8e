"""HEIC images, with libheif; libvips is built without an HEVC decoder."""

import io

import pillow_heif
import pyvips  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.media_tools.limits import check_decoded, check_pixels
from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_MAX_SIZE = 256 * 2**20
_COPIES = 2
"""Copies of an image that are in memory while it is decoded: one in the codec's format and one as RGB."""
_BANDS = {"L": 1, "RGB": 3, "RGBA": 4}
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False
pillow_heif.options.DECODE_THREADS = 1


def is_heic(head: bytes) -> bool:
    """Return whether the file type box lists a brand whose images are HEVC."""
    if head[4:8] != b"ftyp":
        return False
    box = head[: min(len(head), int.from_bytes(head[:4], "big"))]
    brands = {box[8:12], *(box[at : at + 4] for at in range(16, len(box) - 3, 4))}
    return not brands.isdisjoint(_BRANDS)


def open_heic(source: SourceFile) -> pillow_heif.HeifFile:
    """Read the header of an image."""
    if source.size > _MAX_SIZE:
        raise RefusedError(ReasonCode.PICTURE_TOO_LARGE)
    source.seek(0)
    try:
        heic = pillow_heif.open_heif(io.BytesIO(source.read()), convert_hdr_to_8bit=True)
    except (ValueError, RuntimeError, OSError, SyntaxError, EOFError) as error:
        raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    width, height = heic.size
    check_pixels(width, height)
    check_decoded(width * height * 3 * _COPIES)
    return heic


def as_vips(source: SourceFile) -> pyvips.Image:
    """Decode an image, upright, without copying libheif's pixels."""
    heic = open_heic(source)
    try:
        pixels, bands = heic.data, _BANDS[heic.mode]
    except (ValueError, RuntimeError, OSError, SyntaxError, EOFError, KeyError) as error:
        raise RefusedError(ReasonCode.PICTURE_UNREADABLE) from error
    image = pyvips.Image.new_from_memory(pixels, *heic.size, bands, "uchar")
    image = image.copy(interpretation="srgb" if bands > 2 else "b-w")
    profile = heic.info.get("icc_profile")
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image
