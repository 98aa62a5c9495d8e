"""Where the pictures and streams of listed nodes are, for all nodes of a list at once."""

from collections.abc import Sequence
from typing import NamedTuple

from metastore.features.files.models import Node, NodeRow
from metastore.features.files.stream_urls import StreamUrls
from metastore.features.files.thumbnails import Thumbnails


class NodeUrls(NamedTuple):
    """Where a node's small picture is, and its stream's master playlist; ``None`` where there is none."""

    thumbnail: str | None = None
    stream: str | None = None


NO_URLS = NodeUrls()


class Addresses:
    """See the module. Without ``streams`` no stream is shown."""

    def __init__(self, thumbnails: Thumbnails, streams: StreamUrls | None = None) -> None:
        self._thumbnails = thumbnails
        self._streams = streams

    async def of(self, rows: Sequence[NodeRow | Node]) -> dict[str, NodeUrls]:
        """By id the URLs of those that have any."""
        pictures = await self._thumbnails.urls_of([row.thumbnail_key for row in rows if row.thumbnail_key])
        found = {row.id: NodeUrls(pictures.get(row.thumbnail_key or ""), self._stream_of(row)) for row in rows}
        return {node_id: urls for node_id, urls in found.items() if urls != NO_URLS}

    def _stream_of(self, row: NodeRow | Node) -> str | None:
        plays = row.playable_at is not None and row.damage is None and row.trashed_at is None
        return self._streams.master_of(row.id) if plays and self._streams else None
