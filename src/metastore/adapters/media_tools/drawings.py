"""SVG, by librsvg within libvips.

A drawing is looked through before it is drawn: it may refer to nothing but itself and small pictures that it holds, and
must be neither deep nor large. librsvg is given no address that references could begin from, and the child can open
nothing; so this is about what a drawing may cost.
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
from metastore.adapters.sandbox.refusal import NothingToSeeError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaFacts

_MAX_SIZE = 16 * 2**20
_MAX_DEPTH, _MAX_ELEMENTS = 200, 250_000
_MAX_EMBEDDED, _MAX_EMBEDDED_PIXELS = 8 * 2**20, 50_000_000
_MAX_SIDE = 1_000_000
_DATA = re.compile(r"\s*data:[^,]{0,200}?(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)
# Fonts are found and opened now, as later nothing can be.
_WRITING = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="8" font-family="serif">Aa</text>
<text y="8" font-family="monospace">Aa</text><text y="8" font-family="sans-serif">Aa</text></svg>"""
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadSvg", False)
pyvips.cache_set_max(0)
with contextlib.suppress(pyvips.Error):
    pyvips.Image.svgload_buffer(_WRITING).write_to_memory()


def probe(source: ParentBytes) -> MediaFacts:
    """Its size, if it has one."""
    with contextlib.suppress(NothingToSeeError, pyvips.Error):
        image = pyvips.Image.svgload_buffer(_harmless(source))
        if max(image.width, image.height) <= _MAX_SIDE:
            return MediaFacts(container="svg", width=image.width, height=image.height)
    return MediaFacts(container="svg")


def thumbnails(source: ParentBytes, sizes: list[int]) -> list[bytes]:
    """WebPs of it."""
    drawing = _harmless(source)
    try:
        drawn = pyvips.Image.thumbnail_buffer(drawing, max(sizes), **webp.fitting(max(sizes), enlarge=True))
        return webp.from_vips(drawn, sizes)
    except pyvips.Error as error:
        raise NothingToSeeError(ReasonCode.DRAWING_UNREADABLE) from error


def _harmless(source: ParentBytes) -> bytes:
    """The drawing, looked through."""
    if source.size > _MAX_SIZE:
        raise NothingToSeeError(ReasonCode.DRAWING_TOO_LARGE)
    source.seek(0)
    drawing = source.read()
    _Look().through(drawing)
    return drawing


class _Look:
    """At every element and what it refers to; expat itself keeps entities from growing."""

    def __init__(self) -> None:
        self._depth = self._elements = self._embedded = 0

    def through(self, drawing: bytes) -> None:
        """See that it is harmless."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        # Outside entities are not looked for.
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            parser.Parse(drawing, True)
        except (expat.ExpatError, ValueError) as error:
            raise NothingToSeeError(ReasonCode.DRAWING_UNREADABLE) from error

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise NothingToSeeError(ReasonCode.DRAWING_TOO_LARGE)
        for attribute, value in attributes.items():
            if attribute.rpartition(":")[2].lower() == "href":
                self._check_embedded(value)

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _check_embedded(self, address: str) -> None:
        match = _DATA.match(address)
        if match is None:
            return
        self._embedded += len(address)
        if self._embedded > _MAX_EMBEDDED:
            raise NothingToSeeError(ReasonCode.DRAWING_TOO_LARGE)
        data = unquote_to_bytes(match[2])
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(data) if match[1] else data))
        except (OSError, ValueError, SyntaxError, binascii.Error, Image.DecompressionBombError) as error:
            raise NothingToSeeError(ReasonCode.DRAWING_UNREADABLE) from error
        if picture.size[0] * picture.size[1] > _MAX_EMBEDDED_PIXELS:
            raise NothingToSeeError(ReasonCode.DRAWING_TOO_LARGE)
