"""PDF, by PDFium."""

import pypdfium2  # type: ignore[import-untyped]  # the package has no types
from pypdfium2.raw import FPDF_ERR_PASSWORD  # type: ignore[import-untyped]  # the same

from metastore.adapters.media_tools import webp
from metastore.adapters.sandbox.refusal import NothingToSeeError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaFacts

_SMALLEST_SIDE = 0.01


def probe(source: ParentBytes) -> MediaFacts:
    """How many pages it has, if one may look."""
    try:
        with _open(source) as document:
            return MediaFacts(container="pdf", pages=len(document) or None)
    except NothingToSeeError:
        return MediaFacts(container="pdf")


def thumbnails(source: ParentBytes, sizes: list[int]) -> list[bytes]:
    """WebPs of its first page; no other is looked at."""
    with _open(source) as document:
        try:
            page = document[0]
            width, height = page.get_size()
            if min(width, height) < _SMALLEST_SIDE:
                raise NothingToSeeError(ReasonCode.DOCUMENT_UNREADABLE)
            # By its proportions, so that a page of any size makes a picture of this one.
            bitmap = page.render(scale=max(sizes) / max(width, height), fill_color=(255, 255, 255, 255))
            picture = bitmap.to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, ValueError, IndexError, OverflowError) as error:
            raise NothingToSeeError(ReasonCode.DOCUMENT_UNREADABLE) from error
    picture.thumbnail((max(sizes), max(sizes)))
    return webp.from_pillow(picture, sizes)


def _open(source: ParentBytes) -> pypdfium2.PdfDocument:
    source.seek(0)
    try:
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == FPDF_ERR_PASSWORD
        raise NothingToSeeError(ReasonCode.DOCUMENT_LOCKED if locked else ReasonCode.DOCUMENT_UNREADABLE) from error
