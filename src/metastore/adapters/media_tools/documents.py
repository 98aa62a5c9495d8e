"""Probe PDF documents and render their first page, with PDFium."""

import pypdfium2  # type: ignore[import-untyped]  # the package has no types
from pypdfium2.raw import FPDF_ERR_PASSWORD  # type: ignore[import-untyped]  # the same

from metastore.adapters.media_tools import webp
from metastore.adapters.sandbox.refusal import NothingToSeeError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaFacts

_MIN_SIDE = 0.01
"""Points."""


def probe(source: ParentBytes) -> MediaFacts:
    """Count the pages, if the document can be opened."""
    try:
        with _open(source) as document:
            return MediaFacts(container="pdf", pages=len(document) or None)
    except NothingToSeeError:
        return MediaFacts(container="pdf")


def thumbnails(source: ParentBytes, sizes: list[int]) -> list[bytes]:
    """Render the first page as WebP, in all sizes; other pages are not read."""
    with _open(source) as document:
        try:
            page = document[0]
            width, height = page.get_size()
            if min(width, height) < _MIN_SIDE:
                raise NothingToSeeError(ReasonCode.DOCUMENT_UNREADABLE)
            # Scaled to the thumbnail, so that the bitmap is small whatever the size of the page.
            bitmap = page.render(scale=max(sizes) / max(width, height), fill_color=(255, 255, 255, 255))
            image = bitmap.to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, ValueError, IndexError, OverflowError) as error:
            raise NothingToSeeError(ReasonCode.DOCUMENT_UNREADABLE) from error
    image.thumbnail((max(sizes), max(sizes)))
    return webp.from_pillow(image, sizes)


def _open(source: ParentBytes) -> pypdfium2.PdfDocument:
    source.seek(0)
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code == FPDF_ERR_PASSWORD
        raise NothingToSeeError(ReasonCode.DOCUMENT_LOCKED if is_locked else ReasonCode.DOCUMENT_UNREADABLE) from error
