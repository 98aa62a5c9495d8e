"""Probe PDF documents and render their first page, with PDFium."""

import pypdfium2  # type: ignore[import-untyped]  # the package has no types
from pypdfium2.raw import FPDF_ERR_PASSWORD  # type: ignore[import-untyped]  # the same

from metastore.adapters.media_tools import webp
from metastore.adapters.sandbox.errors import NoPictureError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import ProbeResult

_MIN_SIDE = 0.01
"""Points."""


def probe(source: SourceFile) -> ProbeResult:
    """Count the pages, if the document can be opened."""
    try:
        with _open(source) as document:
            return ProbeResult(container="pdf", pages=len(document) or None)
    except NoPictureError:
        return ProbeResult(container="pdf")


def thumbnails(source: SourceFile, sizes: list[int]) -> list[bytes]:
    """Render the first page as WebP, in all sizes; other pages are not read."""
    with _open(source) as document:
        try:
            page = document[0]
            width, height = page.get_size()
            if min(width, height) < _MIN_SIDE:
                raise NoPictureError(ReasonCode.DOCUMENT_UNREADABLE)
            # Scaled to the thumbnail, so that the bitmap is small whatever the size of the page.
            bitmap = page.render(scale=max(sizes) / max(width, height), fill_color=(255, 255, 255, 255))
            image = bitmap.to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, ValueError, IndexError, OverflowError) as error:
            raise NoPictureError(ReasonCode.DOCUMENT_UNREADABLE) from error
    image.thumbnail((max(sizes), max(sizes)))
    return webp.from_pillow(image, sizes)


def _open(source: SourceFile) -> pypdfium2.PdfDocument:
    source.seek(0)
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code == FPDF_ERR_PASSWORD
        raise NoPictureError(ReasonCode.DOCUMENT_LOCKED if is_locked else ReasonCode.DOCUMENT_UNREADABLE) from error
