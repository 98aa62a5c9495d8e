"""Thumbnail and stream URLs of nodes, resolved for a whole list at once."""

from collections.abc import Sequence
from typing import NamedTuple

from metastore.features.files.delivery import Delivery
from metastore.features.files.models import AnyNode
from metastore.features.files.representation.stream_urls import StreamUrls


class NodeUrls(NamedTuple):
    """URLs of a node's thumbnail and of its master playlist; ``None`` if it has none."""

    thumbnail: str | None = None
    stream: str | None = None


NO_URLS = NodeUrls()


class NodeUrlResolver:
    """Resolves the URLs of nodes. Without ``streams``, nodes have no stream URL."""

    def __init__(self, delivery: Delivery, streams: StreamUrls | None = None) -> None:
        self._delivery = delivery
        self._streams = streams

    async def resolve(self, rows: Sequence[AnyNode]) -> dict[str, NodeUrls]:
        """Return the URLs by node ID, leaving out nodes that have none."""
        keys = [row.thumbnail_key for row in rows if row.thumbnail_key]
        thumbnails = dict(zip(keys, await self._delivery.picture_urls(keys), strict=True))
        found = {
            row.id: NodeUrls(thumbnails.get(row.thumbnail_key or ""), self._stream_url(row))
            for row in rows
            if row.thumbnail_key or row.playable_at
        }
        return {node_id: urls for node_id, urls in found.items() if urls != NO_URLS}

    def _stream_url(self, row: AnyNode) -> str | None:
        playable = row.playable_at is not None and row.damage is None and row.trashed_at is None
        return self._streams.master_playlist_url(row.id) if playable and self._streams else None
