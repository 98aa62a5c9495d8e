"""What players are given: where a file streams from, and its playlists."""

from metastore.features.files.service import FilesService
from metastore.features.media.schemas import StreamOut
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem, not_found


class StreamingService:
    """See the module."""

    def __init__(self, files: FilesService) -> None:
        self._files = files

    async def stream(self, tx: Transaction, owner_id: str, file_id: str) -> StreamOut:
        """Where a file streams from. No file is made streamable yet.

        Raises:
            Problem: 404; 409 ``not-playable``.
        """
        await self._files.get_file(tx, owner_id, file_id)
        raise Problem(409, "not-playable", "This file cannot be played.")

    async def master(self, tx: Transaction, token: str) -> str:
        """The master playlist."""
        raise not_found("stream")

    async def media_playlist(self, tx: Transaction, token: str, rendition: str) -> str:
        """The media playlist of a rendition."""
        raise not_found("stream")

    async def hover_pictures(self, tx: Transaction, token: str) -> str:
        """WebVTT of the sprite."""
        raise not_found("stream")

    async def subtitles_playlist(self, tx: Transaction, token: str, subtitles_id: str) -> str:
        """The media playlist of a track of subtitles."""
        raise not_found("stream")

    async def subtitles(self, tx: Transaction, token: str, subtitles_id: str) -> str:
        """A track of subtitles."""
        raise not_found("stream")
