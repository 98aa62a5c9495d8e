"""Probe and render SVG images, with librsvg through libvips.

Every SVG is validated first: it must be neither too large nor too deeply nested, and embedded images must be small.
References to other files cannot be resolved anyway: librsvg is given no base URL, and the child process cannot open
files. The validation therefore only limits what rendering an SVG may cost.
"""

import base64
import binascii
import contextlib
import io
import re
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

import pyvips  # type: ignore[import-untyped]  # the package has no types
from PIL import Image

from metastore.adapters.media_tools import webp
from metastore.adapters.sandbox.errors import NoPictureError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import ProbeResult

_MAX_SIZE = 16 * 2**20
_MAX_DEPTH, _MAX_ELEMENTS = 200, 250_000
_MAX_EMBEDDED, _MAX_EMBEDDED_PIXELS = 8 * 2**20, 50_000_000
_MAX_SIDE = 1_000_000
_DATA_URL = re.compile(r"\s*data:[^,]{0,200}?(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)
# Rendered once to make librsvg load its fonts: the sandbox does not allow opening files later.
_FONTS = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="8" font-family="serif">Aa</text>
<text y="8" font-family="monospace">Aa</text><text y="8" font-family="sans-serif">Aa</text></svg>"""
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadSvg", False)
pyvips.cache_set_max(0)
with contextlib.suppress(pyvips.Error):
    pyvips.Image.svgload_buffer(_FONTS).write_to_memory()


def probe(source: SourceFile) -> ProbeResult:
    """Determine the size, if there is one."""
    with contextlib.suppress(NoPictureError, pyvips.Error):
        image = pyvips.Image.svgload_buffer(_read_validated(source))
        if max(image.width, image.height) <= _MAX_SIDE:
            return ProbeResult(container="svg", width=image.width, height=image.height)
    return ProbeResult(container="svg")


def thumbnails(source: SourceFile, sizes: list[int]) -> list[bytes]:
    """Render the image as WebP, in all sizes."""
    svg = _read_validated(source)
    try:
        options = webp.thumbnail_options(pyvips.Image.svgload_buffer(svg), max(sizes), enlarge=True)
        image = pyvips.Image.thumbnail_buffer(svg, max(sizes), **options)
        return webp.from_vips(image, sizes)
    except pyvips.Error as error:
        raise NoPictureError(ReasonCode.DRAWING_UNREADABLE) from error


def _read_validated(source: SourceFile) -> bytes:
    if source.size > _MAX_SIZE:
        raise NoPictureError(ReasonCode.DRAWING_TOO_LARGE)
    source.seek(0)
    svg = source.read()
    _Validator().validate(svg)
    return svg


class _Validator:
    """Checks every element and reference of an SVG; expat itself limits the expansion of entities."""

    def __init__(self) -> None:
        self._depth = self._elements = self._embedded = 0

    def validate(self, svg: bytes) -> None:
        """Refuse an SVG that is malformed or exceeds a limit."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start_element
        parser.EndElementHandler = self._end_element
        # External entities are not loaded.
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            parser.Parse(svg, True)
        except (expat.ExpatError, ValueError) as error:
            raise NoPictureError(ReasonCode.DRAWING_UNREADABLE) from error

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise NoPictureError(ReasonCode.DRAWING_TOO_LARGE)
        for attribute, value in attributes.items():
            if attribute.rpartition(":")[2].lower() == "href":
                self._check_embedded(value)

    def _end_element(self, name: str) -> None:
        self._depth -= 1

    def _check_embedded(self, url: str) -> None:
        match = _DATA_URL.match(url)
        if match is None:
            return
        self._embedded += len(url)
        if self._embedded > _MAX_EMBEDDED:
            raise NoPictureError(ReasonCode.DRAWING_TOO_LARGE)
        data = unquote_to_bytes(match[2])
        try:
            image = Image.open(io.BytesIO(base64.b64decode(data) if match[1] else data))
        except (OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError) as error:
            raise NoPictureError(ReasonCode.DRAWING_UNREADABLE) from error
        if image.size[0] * image.size[1] > _MAX_EMBEDDED_PIXELS:
            raise NoPictureError(ReasonCode.DRAWING_TOO_LARGE)
