"""Previews of files of all kinds."""

from dataclasses import dataclass

import pytest
from sqlalchemy import update

from metastore.features.files.delivery import Delivery
from metastore.features.files.models import Node
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import authorize_file
from metastore.features.files.tree.rights import Right
from metastore.features.media.playback.previews import PreviewsService
from metastore.features.media.playback.schemas import ExcerptOut, PreviewOut
from metastore.features.media.playback.text_preview import MAX_SIZE
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import StoreUnavailableError
from tests.fixtures.accounts import add_user, signed_in
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.stored_films import Renditions, StoredFilm, film_renditions, store_file, store_film

__all__ = ["film_renditions"]


@dataclass
class PreviewedFiles:
    """One user's files, and the service that previews them."""

    database: Database
    store: MemoryObjectStore
    owner: str
    previews: PreviewsService

    async def put(self, name: str, content: bytes, mime_type: str) -> str:
        """Add a file; return its id."""
        return await store_file(self.database, self.store, self.owner, name, content, mime_type)

    async def preview(self, file_id: str) -> PreviewOut:
        """Return the preview of a file."""
        async with self.database.reading() as tx:
            found = await self.previews.find(tx, await authorize_file(tx, signed_in(self.owner), file_id, Right.VIEW))
        return await self.previews.preview(found)

    async def preview_of(self, name: str, content: bytes, mime_type: str) -> PreviewOut:
        """Add a file and return its preview."""
        return await self.preview(await self.put(name, content, mime_type))


@pytest.fixture
async def files(database: Database) -> PreviewedFiles:
    store = MemoryObjectStore()
    streams = StreamUrls(b"k" * 32, 3600)
    delivery = Delivery(store, 3600)
    files = FilesService(delivery, streams=streams)
    return PreviewedFiles(database, store, await add_user(database), PreviewsService(store, delivery, files, streams))


async def test_a_video_is_previewed_by_its_stream(files: PreviewedFiles, film_renditions: Renditions) -> None:
    """With its preview image, size and duration, and with the file itself for browsers that can play it."""
    shown = await files.preview(
        await store_film(files.database, files.store, files.owner, StoredFilm(film_renditions, preview=True))
    )
    assert ("video", 320, 180, 7000) == (shown.kind, shown.width, shown.height, shown.duration_ms)
    assert shown.stream_url is not None
    assert shown.stream_url.endswith("/master.m3u8")
    assert shown.picture_url is not None
    assert "type=image/webp" in shown.picture_url
    assert shown.url is not None
    assert "type=video/mp4" in shown.url
    assert (None, None) == (shown.excerpt, shown.waveform)


async def test_an_audio_file_is_previewed_by_its_waveform(files: PreviewedFiles, film_renditions: Renditions) -> None:
    plan = StoredFilm(
        {"a0": film_renditions["a0"]}, name="song.mp3", mime_type="audio/mpeg", waveform=bytes([0, 128, 255])
    )
    shown = await files.preview(await store_film(files.database, files.store, files.owner, plan))
    assert ("audio", [0, 128, 255]) == (shown.kind, shown.waveform)


@pytest.mark.parametrize(
    ("name", "mime_type", "kind", "inline"),
    [
        ("a.jpg", "image/jpeg", "image", True),
        ("a.heic", "image/heic", "image", False),
        ("a.pdf", "application/pdf", "pdf", True),
        ("a.mkv", "video/x-matroska", "video", False),
        ("a.zip", "application/zip", "none", False),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "none", False),
    ],
)
async def test_files_that_browsers_can_show_have_a_url(
    files: PreviewedFiles, name: str, mime_type: str, kind: str, *, inline: bool
) -> None:
    """Types that could be executed are not among them."""
    shown = await files.preview_of(name, b"\x00\x01binary", mime_type)
    assert (kind, inline, None) == (shown.kind, shown.url is not None, shown.excerpt)


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("page.html", "text/html"), ("drawing.svg", "image/svg+xml"), ("feed.xml", "application/xml")],
)
async def test_active_content_is_previewed_as_source_code(files: PreviewedFiles, name: str, mime_type: str) -> None:
    """Never by a URL that a page could embed."""
    shown = await files.preview_of(name, b"<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>", mime_type)
    assert ("code", None) == (shown.kind, shown.url)
    assert shown.excerpt is not None
    assert "xml" == shown.excerpt.language


@pytest.mark.parametrize(
    ("name", "content", "mime_type", "kind", "language"),
    [
        ("a.txt", b"hello", "text/plain", "text", None),
        ("a.csv", b"a;b\n1;2\n", "text/csv", "text", None),
        ("README.md", b"# Title", "text/markdown", "markdown", None),
        ("main.py", b"print(1)\n", "text/x-python", "code", "python"),
        ("app.ts", b"let a: number\n", "video/mp2t", "code", "typescript"),
        ("data.json", b"{}", "application/json", "code", "json"),
        ("Makefile", b"all:\n\ttrue\n", "application/octet-stream", "code", "makefile"),
        ("LICENSE", b"Do what you like.\n", "application/octet-stream", "text", None),
        ("empty.txt", b"", "text/plain", "text", None),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nx\n", "application/x-subrip", "text", None),
    ],
)
async def test_text_files_are_previewed_by_an_excerpt(
    files: PreviewedFiles, name: str, content: bytes, mime_type: str, kind: str, language: str | None
) -> None:
    """Source code also by its language."""
    shown = await files.preview_of(name, content, mime_type)
    expected = ExcerptOut(text=content.decode(), truncated=False, language=language)
    assert (kind, expected, None) == (shown.kind, shown.excerpt, shown.url)


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("a.txt", bytes(range(256)) * 50, "text/plain"),
        ("a.txt", b"hello\0world", "text/plain"),
        ("a.bin", bytes(range(128, 256)) * 3 + bytes(range(1, 30)) * 9, "application/octet-stream"),
        ("a.py", b"\x7fELF\x02\x01\x01" + bytes(60), "text/x-python"),
    ],
)
async def test_binary_data_is_not_previewed_as_text(
    files: PreviewedFiles, name: str, content: bytes, mime_type: str
) -> None:
    """Whatever its name and media type say."""
    shown = await files.preview_of(name, content, mime_type)
    assert ("none", None) == (shown.kind, shown.excerpt)


async def test_the_excerpt_of_a_long_text_is_truncated(files: PreviewedFiles) -> None:
    """To 256 KiB, and at a whole character."""
    text = "ế" * (MAX_SIZE // 3 + 1000)
    shown = await files.preview_of("long.txt", text.encode(), "text/plain")
    assert shown.excerpt is not None
    assert shown.excerpt.truncated
    assert "ế" * (MAX_SIZE // 3) == shown.excerpt.text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Tiếng Việt"),
        ("utf-16", "Tiếng Việt"),
        ("utf-16-be", "plain words in wide letters"),
        ("utf-32", "Tiếng Việt"),
        (
            "cp1252",
            "Où est le café? Là-bas, près de la forêt où il a plu l'été dernier; ça va être génial, même après.",
        ),
    ],
)
async def test_text_is_decoded_from_any_encoding(files: PreviewedFiles, encoding: str, text: str) -> None:
    shown = await files.preview_of("a.txt", text.encode(encoding), "text/plain")
    assert shown.excerpt is not None
    assert text == shown.excerpt.text


@pytest.mark.parametrize(
    ("change", "status"),
    [({"damage": "bytes are missing"}, 409), ({"object_key": None}, 409), ({"trash_state": "PURGING"}, 404)],
)
async def test_damaged_incomplete_and_purged_files_are_not_previewed(
    files: PreviewedFiles, change: dict[str, object], status: int
) -> None:
    file_id = await files.put("a.txt", b"hello", "text/plain")
    async with files.database.transaction() as tx:
        await tx.session.execute(update(Node).where(Node.id == file_id).values(change))
    with pytest.raises(Problem) as refused:
        await files.preview(file_id)
    assert status == refused.value.status


async def test_the_file_of_another_user_is_not_found(files: PreviewedFiles) -> None:
    file_id = await files.put("a.txt", b"hello", "text/plain")
    files.owner = await add_user(files.database)
    with pytest.raises(Problem) as refused:
        await files.preview(file_id)
    assert 404 == refused.value.status


@pytest.mark.parametrize("method", ["read", "presign_reads"])
async def test_an_outage_of_the_object_store_is_reported_as_503(files: PreviewedFiles, method: str) -> None:
    file_id = await files.put("a.txt" if method == "read" else "a.jpg", b"x", "text/plain")
    async with files.database.transaction() as tx:
        kind = "text/plain" if method == "read" else "image/jpeg"
        await tx.session.execute(update(Node).where(Node.id == file_id).values(mime_type=kind))
    files.store.fail_next[method] = StoreUnavailableError("outage")
    with pytest.raises(Problem) as refused:
        await files.preview(file_id)
    assert 503 == refused.value.status
