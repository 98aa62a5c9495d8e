"""Previews: what a viewer needs to show a file without downloading it.

The file's own URL is only included for types that browsers show without executing anything; other files are shown by
their derived images. Text and source code get an excerpt. Content decides what is text: a file is read if its name or
media type says that it is text, or if neither says anything.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from metastore.features.files.delivery import Delivery, Download
from metastore.features.files.listing import node_lookup
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import NodeAccess
from metastore.features.media.playback import queries, text_preview
from metastore.features.media.playback.queries import MediaRow
from metastore.features.media.playback.schemas import ExcerptOut, PreviewKind, PreviewOut
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import unavailable
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_BROWSER_TYPES = frozenset(
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
_KINDS: dict[str, PreviewKind] = {"video": "video", "audio": "audio", "image": "image", "text": "text"}


@dataclass(frozen=True, slots=True)
class PreviewedFile:
    """A file to preview; ``waveform`` is set for audio files only."""

    file: Download
    media: MediaRow | None
    waveform: bytes | None
    playable: bool


class PreviewsService:
    """Builds previews."""

    def __init__(self, store: ObjectStore, delivery: Delivery, files: FilesService, streams: StreamUrls) -> None:
        self._store = store
        self._delivery = delivery
        self._files = files
        self._streams = streams

    async def find(self, tx: Transaction, access: NodeAccess) -> PreviewedFile:
        """Find what the preview of a file needs.

        Raises:
            Problem: as for downloads.
        """
        file = self._files.downloadable(access)
        file_id = file.file_id
        media = await queries.media_of(tx, file_id)
        has_no_video = media is not None and media.width is None
        waveform = await queries.waveform_of(tx, file_id) if has_no_video else None
        return PreviewedFile(file, media, waveform, await node_lookup.streamable_file(tx, file_id) is not None)

    async def picture_key(self, tx: Transaction, access: NodeAccess) -> str | None:
        """Return the key of the largest derived picture of a file, if it has one."""
        media = await queries.media_of(tx, access.node.id)
        return (media.preview_key if media else None) or access.node.thumbnail_key

    def is_shown_by_browsers(self, mime_type: str) -> bool:
        """Return whether browsers show files of that type without executing anything."""
        return mime_type in _BROWSER_TYPES

    async def preview(self, found: PreviewedFile) -> PreviewOut:
        """Return the preview of a file for its owner.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        file, media = found.file, found.media
        preview = await self.describe(found)
        lifetime = self._streams.lifetime(preview.duration_ms)
        url = await self._delivery.inline_url(file, lifetime) if shows_itself(preview) else None
        pictures = [media.preview_key] if media and media.preview_key else []
        picture_url = next(iter(await self._delivery.picture_urls(pictures, lifetime)), None)
        base = self._streams.stream_base_url(file.file_id, lifetime=lifetime) if found.playable else None
        stream_url = f"{base}/master.m3u8" if base else None
        return preview.model_copy(update={"picture_url": picture_url, "url": url, "stream_url": stream_url})

    async def describe(self, found: PreviewedFile) -> PreviewOut:
        """Return the preview of a file without any URL.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        file, media = found.file, found.media
        kind = _kind(file.mime_type)
        language = text_preview.language_of(file.name, file.mime_type)
        excerpt = None
        # Without a probe result the media type may be wrong: TypeScript has the suffix of MPEG transport streams.
        if kind == "text" or (media is None and (language or file.mime_type in text_preview.UNSPECIFIC_TYPES)):
            excerpt = await self._excerpt(file, language)
            if excerpt:
                kind = _kind_of_text(file, language)
            elif kind == "text":
                kind = "none"
        return PreviewOut(
            kind=kind,
            mime_type=file.mime_type,
            size=file.size,
            width=media.width if media else None,
            height=media.height if media else None,
            duration_ms=media.duration_ms if media else None,
            picture_url=None,
            url=None,
            waveform=_peaks(found.waveform),
            excerpt=excerpt,
            stream_url=None,
        )

    async def _excerpt(self, file: Download, language: str | None) -> ExcerptOut | None:
        chunks = self._store.read(file.object_key, length=text_preview.MAX_SIZE)
        try:
            data = b"".join([chunk async for chunk in chunks])
        except ObjectStoreError as error:
            raise unavailable("The object store does not respond.") from error
        return await asyncio.to_thread(text_preview.excerpt, data, file.size, language)


def shows_itself(preview: PreviewOut) -> bool:
    """Return whether a viewer shows the file's own bytes, by a URL."""
    return preview.excerpt is None and preview.mime_type in _BROWSER_TYPES


def _kind(mime_type: str) -> PreviewKind:
    return "pdf" if mime_type == "application/pdf" else _KINDS.get(mime_type.partition("/")[0], "none")


def _kind_of_text(file: Download, language: str | None) -> PreviewKind:
    if text_preview.is_markdown(file.name, file.mime_type):
        return "markdown"
    return "code" if language else "text"


def _peaks(waveform: bytes | None) -> Sequence[int] | None:
    return list(waveform) if waveform else None
