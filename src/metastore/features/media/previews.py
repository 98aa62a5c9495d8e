"""What a viewer shows of a file in place of its being downloaded.

The file itself is given out only as what browsers show without running it; all else is shown by what was made of it.
Of text and code there is an excerpt. Whether it is text is told by its bytes: a name or type that says so is a reason
to look, and so is one that says nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from metastore.features.files import lookup
from metastore.features.files.service import Download, FilesService
from metastore.features.files.stream_urls import StreamUrls
from metastore.features.files.thumbnails import CONTENT_TYPE
from metastore.features.media import excerpts, stream_queries
from metastore.features.media.schemas import ExcerptOut, PreviewKind, PreviewOut
from metastore.features.media.stream_queries import MediaRow
from metastore.kit.context import absolute
from metastore.kit.database import Transaction
from metastore.kit.problem import unavailable
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_SHOWN_BY_BROWSERS = frozenset(
    {
        "application/pdf",
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/ogg",
        "video/quicktime",
        "video/webm",
    }
)
_FAMILIES: dict[str, PreviewKind] = {"video": "video", "audio": "audio", "image": "image", "text": "text"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a file that is to be shown."""

    file: Download
    media: MediaRow | None
    waveform: bytes | None
    playable: bool


class PreviewsService:
    """See the module."""

    def __init__(self, store: ObjectStore, files: FilesService, streams: StreamUrls) -> None:
        self._store = store
        self._files = files
        self._streams = streams

    async def find(self, tx: Transaction, owner_id: str, file_id: str) -> Known:
        """What is known about the owner's file.

        Raises:
            Problem: as for downloads.
        """
        file = await self._files.downloadable(tx, owner_id, file_id)
        media = await stream_queries.media_of(tx, file_id)
        heard_alone = media is not None and media.width is None
        waveform = await stream_queries.waveform_of(tx, file_id) if heard_alone else None
        return Known(file, media, waveform, await lookup.streamed(tx, file_id) is not None)

    async def show(self, known: Known) -> PreviewOut:
        """The preview.

        Raises:
            Problem: 503 when the object store does not answer.
        """
        file, media = known.file, known.media
        duration_ms = media.duration_ms if media else None
        lifetime = self._streams.lifetime(duration_ms)
        kind = _kind(file.mime_type)
        language = excerpts.language_of(file.name, file.mime_type)
        excerpt = None
        # What a type claims that nothing was found of may be something else: TypeScript goes by the name of a film's.
        if kind == "text" or (media is None and (language or file.mime_type in excerpts.UNKNOWN_TYPES)):
            excerpt = await self._excerpt(file, language)
            if excerpt:
                kind = _kind_of_text(file, language)
            elif kind == "text":
                kind = "none"
        try:
            shown = excerpt is None and file.mime_type in _SHOWN_BY_BROWSERS
            url = await self._url(file.object_key, file.mime_type, lifetime) if shown else None
            pictured = media.preview_key if media else None
            picture_url = await self._url(pictured, CONTENT_TYPE, lifetime) if pictured else None
        except ObjectStoreError as error:
            raise unavailable("The object store does not respond.") from error
        base = self._streams.base_of(file.file_id, lifetime=lifetime) if known.playable else None
        return PreviewOut(
            kind=kind,
            mime_type=file.mime_type,
            size=file.size,
            width=media.width if media else None,
            height=media.height if media else None,
            duration_ms=duration_ms,
            picture_url=picture_url,
            url=url,
            waveform=_peaks(known.waveform),
            excerpt=excerpt,
            stream_url=f"{base}/master.m3u8" if base else None,
        )

    async def _excerpt(self, file: Download, language: str | None) -> ExcerptOut | None:
        chunks = self._store.read(file.object_key, length=excerpts.LARGEST)
        try:
            data = b"".join([chunk async for chunk in chunks])
        except ObjectStoreError as error:
            raise unavailable("The object store does not respond.") from error
        return await asyncio.to_thread(excerpts.excerpt, data, file.size, language)

    async def _url(self, key: str, content_type: str, lifetime: int) -> str:
        [url] = await self._store.presign_reads([key], content_type=content_type, expires_in=lifetime)
        return absolute(url)


def _kind(mime_type: str) -> PreviewKind:
    return "pdf" if mime_type == "application/pdf" else _FAMILIES.get(mime_type.partition("/")[0], "none")


def _kind_of_text(file: Download, language: str | None) -> PreviewKind:
    if excerpts.is_markdown(file.name, file.mime_type):
        return "markdown"
    return "code" if language else "text"


def _peaks(waveform: bytes | None) -> Sequence[int] | None:
    return list(waveform) if waveform else None
