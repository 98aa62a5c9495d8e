"""Thumbnail and stream URLs of nodes, resolved for a whole list at once."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from metastore.features.files.delivery import Delivery
from metastore.features.files.models import AnyNode
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.kit.context import absolute


class NodeUrls(NamedTuple):
    """URLs of a node's thumbnail and of its master playlist; ``None`` if it has none."""

    thumbnail: str | None = None
    stream: str | None = None


NO_URLS = NodeUrls()


class ResolvesNodeUrls(Protocol):
    """What resolves the URLs of nodes for those who may see them."""

    async def resolve(self, rows: Sequence[AnyNode]) -> dict[str, NodeUrls]:
        """Return the URLs by node ID, leaving out nodes that have none."""
        ...


class NodeUrlResolver:
    """Resolves the URLs of an owner's nodes. Without ``streams``, nodes have no stream URL."""

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


class VisitorNodeUrls:
    """The URLs of nodes for visitors of a share link: routes below ``base``, which ask again and redirect."""

    def __init__(self, base: str, streams: StreamUrls, *, link_id: str, link_version: int) -> None:
        self._base = base
        self._streams = streams
        self._link = link_id, link_version

    def item_url(self, node_id: str, route: str) -> str:
        """Return the URL of a route about a node."""
        return absolute(f"{self._base}/items/{node_id}/{route}")

    def playlist_url(self, file_id: str, lifetime: int | None = None) -> str:
        """Return the URL of a file's master playlist, valid while the link has its present version."""
        link_id, version = self._link
        url = self._streams.stream_base_url(file_id, lifetime=lifetime, link_id=link_id, link_version=version)
        return f"{url}/master.m3u8"

    async def resolve(self, rows: Sequence[AnyNode]) -> dict[str, NodeUrls]:
        """See ``ResolvesNodeUrls``."""
        return {row.id: self._urls(row) for row in rows if row.thumbnail_key or row.playable_at}

    def _urls(self, row: AnyNode) -> NodeUrls:
        playable = row.playable_at is not None and row.damage is None
        return NodeUrls(
            self.item_url(row.id, "thumbnail") if row.thumbnail_key else None,
            self.playlist_url(row.id) if playable else None,
        )
