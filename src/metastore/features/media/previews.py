"""What a viewer shows of a file before, or instead of, its being downloaded."""

from metastore.features.files.service import Download, FilesService
from metastore.features.media.schemas import PreviewKind, PreviewOut
from metastore.kit.database import Transaction

_FAMILIES: dict[str, PreviewKind] = {"video": "video", "audio": "audio", "image": "image", "text": "text"}


class PreviewsService:
    """See the module."""

    def __init__(self, files: FilesService) -> None:
        self._files = files

    async def find(self, tx: Transaction, owner_id: str, file_id: str) -> Download:
        """What is known about the file.

        Raises:
            Problem: as for downloads.
        """
        return await self._files.downloadable(tx, owner_id, file_id)

    async def show(self, wanted: Download) -> PreviewOut:
        """The preview: its kind alone as yet."""
        return PreviewOut(
            kind="pdf" if wanted.mime_type == "application/pdf" else _kind(wanted.mime_type),
            mime_type=wanted.mime_type,
            size=wanted.size,
            width=None,
            height=None,
            duration_ms=None,
            picture_url=None,
            url=None,
            waveform=None,
            excerpt=None,
            stream_url=None,
        )


def _kind(mime_type: str) -> PreviewKind:
    return _FAMILIES.get(mime_type.partition("/")[0], "none")
