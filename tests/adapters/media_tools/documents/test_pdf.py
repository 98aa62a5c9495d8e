"""PDF documents: the number of pages, and the first page as the thumbnail."""

import re
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # the package has no types
import pytest
from PIL import Image

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import NoPictureError
from tests.adapters.media_tools.sample_files import decoded, encoded, has_colour, source

SIZES = [256, 1024]
RED = (255, 0, 0)
_RED_PAGE = b"1 0 0 rg 0 0 100000 100000 re f"
_LOCKED = (
    "<</Filter/Standard/V 1/R 2/Length 40/P -4/O<28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a>"
    "/U<28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a>>>"
)


def pdf(pages: int = 1, box: str = "0 0 612 792", first: bytes = _RED_PAGE, trailer: str = "") -> bytes:
    """Return a document whose pages are empty, except for the first one."""
    content = bytearray(b"%PDF-1.7\n")
    offsets = []

    def add(body: bytes) -> None:
        offsets.append(len(content))
        content.extend(b"%d 0 obj\n%s\nendobj\n" % (len(offsets), body))

    add(b"<</Type/Catalog/Pages 2 0 R>>")
    kids = b" ".join(b"%d 0 R" % (4 + number) for number in range(pages))
    add(b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids))
    add(b"<</Length %d>>stream\n%s\nendstream" % (len(first), first))
    for number in range(pages):
        contents = b"/Contents 3 0 R" if number == 0 else b""
        add(b"<</Type/Page/Parent 2 0 R/MediaBox[%s]%s>>" % (box.encode(), contents))
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(content)
    size = len(offsets) + 1
    content.extend(b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R" % (size, table, size))
    content.extend(b"%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer.encode(), start))
    return bytes(content)


async def test_a_document_is_probed_and_its_first_page_is_the_thumbnail() -> None:
    tools, given = SandboxedMediaTools(), source(pdf(3), "application/pdf")
    probed = await tools.probe(given)
    assert ("pdf", 3, None) == (probed.container, probed.pages, probed.width)
    small, large = map(decoded, await tools.thumbnails(given, sizes=SIZES))
    assert ((198, 256), (792, 1024)) == (small.size, large.size)
    assert has_colour(RED, large, (400, 500))


@pytest.mark.parametrize("box", ["0 0 1000000000 1000000000", "0 0 3 3", "0 0 1 200000"])
async def test_a_page_of_any_size_fits_the_thumbnail(box: str) -> None:
    (made,) = await SandboxedMediaTools().thumbnails(source(pdf(box=box), "application/pdf"), sizes=[256])
    assert 256 == max(decoded(made).size)


async def test_only_the_first_of_a_hundred_thousand_pages_is_rendered() -> None:
    tools, given = SandboxedMediaTools(), source(pdf(100_000), "application/pdf")
    assert 100_000 == (await tools.probe(given)).pages
    assert await tools.thumbnails(given, sizes=SIZES)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pdf(trailer=f"/ID[<00><00>]/Encrypt {_LOCKED}"), ReasonCode.DOCUMENT_LOCKED),
        (pdf(100)[:300], ReasonCode.DOCUMENT_UNREADABLE),
        (b"%PDF-1.7\n", ReasonCode.DOCUMENT_UNREADABLE),
        (b"", ReasonCode.DOCUMENT_UNREADABLE),
    ],
)
async def test_a_document_that_cannot_be_rendered_has_no_thumbnail(content: bytes, code: ReasonCode) -> None:
    tools, given = SandboxedMediaTools(), source(content, "application/pdf")
    assert "pdf" == (await tools.probe(given)).container
    with pytest.raises(NoPictureError, match=re.escape(code.sentence)) as refusal:
        await tools.thumbnails(given, sizes=SIZES)
    assert code is refusal.value.code


async def test_images_on_a_page_are_rendered(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(300, 200)
    image = pypdfium2.PdfImage.new(document)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(Image.new("RGB", (600, 400), "red"), "JPEG"))
    image.load_jpeg(str(photo))
    image.set_matrix(pypdfium2.PdfMatrix().scale(300, 200))
    page.insert_obj(image)
    page.gen_content()
    document.save(str(tmp_path / "document.pdf"))
    content = (tmp_path / "document.pdf").read_bytes()
    (made,) = await SandboxedMediaTools().thumbnails(source(content, "application/pdf"), sizes=[256])
    assert has_colour(RED, decoded(made), (128, 80))
