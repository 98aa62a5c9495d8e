"""The subtitle files of a video in the same folder. Looked up on every request, since users add and remove them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from metastore.features.files.listing import node_lookup
from metastore.features.files.listing.node_lookup import StreamableFile
from metastore.features.files.tree.names import split_suffix
from metastore.features.media.playback.subtitles import (
    MAX_SIZE,
    NotSubtitlesError,
    parse_sidecar_name,
    to_webvtt,
)
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import not_found, unavailable
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore, ObjectStoreError

_MAX_CANDIDATES = 200
_MAX_TRACKS = 32
_CACHE_SIZE = 32


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A subtitle file: its ID, the track's name, and its language as a BCP 47 tag."""

    id: str
    name: str
    language: str | None
    object_key: str
    size: int


async def subtitle_tracks(tx: Transaction, file: StreamableFile) -> list[SubtitleTrack]:
    """Return the subtitle tracks of a video, by file name."""
    stem = split_suffix(file.name)[0]
    tracks = []
    for sidecar in await node_lookup.sidecars_of(tx, file, limit=_MAX_CANDIDATES):
        is_subtitles, language = parse_sidecar_name(stem, sidecar.name)
        if is_subtitles and 0 < sidecar.size <= MAX_SIZE:
            name = language or sidecar.name
            tracks.append(SubtitleTrack(sidecar.id, name, language, sidecar.object_key, sidecar.size))
    return tracks[:_MAX_TRACKS]


class SubtitleTexts:
    """Subtitle tracks as WebVTT. Caches the most recently used ones, as objects never change."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._cache: OrderedDict[str, str] = OrderedDict()

    async def webvtt(self, track: SubtitleTrack) -> str:
        """Return the text of a track.

        Raises:
            Problem: 404 if the file contains no subtitles; 503 during an outage of the object store.
        """
        text = self._cache.get(track.object_key)
        if text is None:
            try:
                data = b"".join([chunk async for chunk in self._store.read(track.object_key, length=MAX_SIZE)])
                text = await asyncio.to_thread(to_webvtt, data)
            except (ObjectNotFoundError, NotSubtitlesError) as error:
                raise not_found("subtitle track") from error
            except ObjectStoreError as error:
                raise unavailable("The object store does not respond.") from error
            self._cache[track.object_key] = text
            if len(self._cache) > _CACHE_SIZE:
                self._cache.popitem(last=False)
        self._cache.move_to_end(track.object_key)
        return text
