"""Streaming: a file's stream, its playlists, sprite and subtitles.

Every response is prepared in two steps: ``find_…`` reads from the database within a transaction, the method after it
builds the response without one. With each request that carries a token the file is checked again: it must exist, must
not be in the trash and must not be damaged. Playlists refer to segments by presigned URLs, which expire.

A token contains who granted access: the owner, or a share link, which ``may_stream`` checks.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from metastore.features.files.delivery import Delivery
from metastore.features.files.listing import node_lookup
from metastore.features.files.listing.node_lookup import StreamableFile
from metastore.features.files.representation.stream_urls import StreamGrant, StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import NodeAccess
from metastore.features.media import repository
from metastore.features.media.models import AUDIO, DONE, VIDEO
from metastore.features.media.objects.keys import init_key, segment_key
from metastore.features.media.playback import playlists, queries, sidecars
from metastore.features.media.playback.playlists import AudioTrack, Track, Variant
from metastore.features.media.playback.queries import MediaRow, RenditionRow
from metastore.features.media.playback.schemas import RenditionOut, StreamOut, SubtitlesOut
from metastore.features.media.playback.sidecars import SubtitleTexts, SubtitleTrack
from metastore.features.media.playback.sprites import sprite_cues
from metastore.features.media.renditions.bandwidth import average, peak
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import ObjectStore

MayStream = Callable[[Transaction, StreamGrant], Awaitable[bool]]
_NOT_PROBED = MediaRow(None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class CacheableText:
    """A text response, and how many seconds a client may cache it; 0 if it may change at any moment."""

    text: str
    max_age: int = 0


@dataclass(frozen=True, slots=True)
class PlayableFile:
    """A file with its renditions and subtitles.

    ``bandwidths`` holds the peak and average bits per second of the renditions in the master playlist, by ID.
    """

    file: StreamableFile
    media: MediaRow
    renditions: Sequence[RenditionRow]
    subtitles: Sequence[SubtitleTrack]
    bandwidths: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether processing has ended and all renditions are done."""
        return self.file.processed and all(rendition.state == DONE for rendition in self.renditions)

    def listed(self, kind: str) -> list[RenditionRow]:
        """Return the renditions to list in the master playlist: the finished ones if any, else those with segments."""
        started = [rendition for rendition in self.renditions if rendition.kind == kind and rendition.has_segments]
        return [rendition for rendition in started if rendition.state == DONE] or started


@dataclass(frozen=True, slots=True)
class RenditionSegments:
    """A rendition with the number and the duration in microseconds of each of its segments."""

    rendition: RenditionRow
    segments: Sequence[tuple[int, int]]
    duration_ms: int | None


async def owner_only(_tx: Transaction, grant: StreamGrant) -> bool:
    """Return whether the owner granted access."""
    return grant.link_id is None


class StreamingService:
    """Finds playable files and builds the responses that players need."""

    def __init__(
        self,
        store: ObjectStore,
        delivery: Delivery,
        files: FilesService,
        streams: StreamUrls,
        may_stream: MayStream = owner_only,
    ) -> None:
        self._delivery = delivery
        self._files = files
        self._streams = streams
        self._may_stream = may_stream
        self._subtitles = SubtitleTexts(store)

    async def find_stream(self, tx: Transaction, access: NodeAccess) -> PlayableFile:
        """Find what playing a file needs.

        Raises:
            Problem: 409 ``not-playable``, ``not-ready`` or ``file-damaged``.
        """
        file = await node_lookup.streamable_file(tx, access.node.id)
        if file is None:
            self._files.downloadable(access)
            raise not_playable()
        return await self._load(tx, file)

    async def stream(self, playable: PlayableFile, *, link_id: str | None = None) -> StreamOut:
        """Return where to stream the file from, with access granted by its owner or by a share link."""
        lifetime = self._streams.lifetime(playable.media.duration_ms)
        base = self._streams.stream_base_url(playable.file.id, lifetime=lifetime, link_id=link_id)
        poster = playable.media.preview_key or playable.file.thumbnail_key
        return StreamOut(
            url=f"{base}/master.m3u8",
            renditions=[RenditionOut.model_validate(rendition) for rendition in playable.renditions],
            complete=playable.is_complete,
            poster=await self._image_url(poster, lifetime) if poster else None,
            sprite=f"{base}/thumbnails.vtt" if playable.media.sprite_key else None,
            subtitles=[
                SubtitlesOut(name=track.name, language=track.language, url=f"{base}/subtitles/{track.id}.vtt")
                for track in playable.subtitles
            ],
            duration_ms=playable.media.duration_ms,
        )

    async def find_master(self, tx: Transaction, token: str) -> PlayableFile:
        """Find the token's file, with the bandwidths of its renditions.

        Raises:
            Problem: 404; 403 ``url-expired``.
        """
        playable = await self._load(tx, await self._authorize(tx, token))
        listed = [*playable.listed(VIDEO), *playable.listed(AUDIO)]
        return replace(playable, bandwidths={row.id: await _bandwidths(tx, row) for row in listed})

    def master(self, playable: PlayableFile) -> CacheableText:
        """Return the master playlist.

        Raises:
            Problem: 404 if there is nothing to play yet.
        """
        videos, audio = playable.listed(VIDEO), playable.listed(AUDIO)
        if not videos and (playable.media.width or not audio):
            raise not_found("stream")
        text = playlists.master(
            [_variant(row, playable.bandwidths[row.id]) for row in videos],
            [_audio_track(row, playable.bandwidths[row.id]) for row in audio],
            [Track(f"subtitles/{track.id}.m3u8", track.name, track.language) for track in playable.subtitles],
        )
        return CacheableText(text, self._max_age(playable.media.duration_ms) if playable.is_complete else 0)

    async def find_media(self, tx: Transaction, token: str, name: str) -> RenditionSegments:
        """Find a rendition of the token's file, with its segments.

        Raises:
            Problem: as for the master playlist; 404 if there is no such rendition or it has no segment yet.
        """
        file = await self._authorize(tx, token)
        rendition = await queries.rendition_named(tx, file.id, name)
        if rendition is None or not rendition.has_segments:
            raise not_found("rendition")
        media = await queries.media_of(tx, file.id) or _NOT_PROBED
        return RenditionSegments(rendition, await queries.segments_of(tx, rendition.id), media.duration_ms)

    async def media(self, found: RenditionSegments) -> CacheableText:
        """Return the media playlist of a rendition.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        rendition = found.rendition
        keys = [segment_key(rendition.key_prefix, number) for number, _ in found.segments]
        lifetime = self._streams.lifetime(found.duration_ms)
        content_type = "audio/mp4" if rendition.kind == AUDIO else "video/mp4"
        init, *urls = await self._delivery.segment_urls([init_key(rendition.key_prefix), *keys], content_type, lifetime)
        done = rendition.state == DONE
        durations = [duration for _, duration in found.segments]
        text = playlists.media(rendition.target_seconds, init, durations, urls, done=done)
        return CacheableText(text, self._max_age(found.duration_ms) if done else 0)

    async def find_sprite(self, tx: Transaction, token: str) -> MediaRow:
        """Find the sprite of the token's file.

        Raises:
            Problem: as for the master playlist; 404 if there is no sprite.
        """
        file = await self._authorize(tx, token)
        media = await queries.media_of(tx, file.id)
        if media is None or not media.sprite_key or not media.sprite:
            raise not_found("sprite")
        return media

    async def sprite(self, media: MediaRow) -> CacheableText:
        """Return WebVTT that maps times to regions of the sprite.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        url = await self._image_url(media.sprite_key or "", self._streams.lifetime(media.duration_ms))
        return CacheableText(sprite_cues(media.sprite or {}, media.duration_ms, url), self._max_age(media.duration_ms))

    async def find_subtitles(self, tx: Transaction, token: str, subtitles_id: str) -> tuple[SubtitleTrack, MediaRow]:
        """Find a subtitle track of the token's file, and the file's media row.

        Raises:
            Problem: as for the master playlist; 404 if there is no such track.
        """
        file = await self._authorize(tx, token)
        for track in await sidecars.subtitle_tracks(tx, file):
            if track.id == subtitles_id:
                return track, await queries.media_of(tx, file.id) or _NOT_PROBED
        raise not_found("subtitle track")

    def subtitles_playlist(self, track: SubtitleTrack, media: MediaRow) -> CacheableText:
        """Return the media playlist of a subtitle track."""
        return CacheableText(playlists.subtitles((media.duration_ms or 1000) * 1000, f"{track.id}.vtt"))

    async def subtitles(self, track: SubtitleTrack) -> CacheableText:
        """Return a subtitle track as WebVTT.

        Raises:
            Problem: 404 if the file contains no subtitles; 503 during an outage of the object store.
        """
        return CacheableText(await self._subtitles.webvtt(track))

    async def _authorize(self, tx: Transaction, token: str) -> StreamableFile:
        grant = self._streams.verify_token(token)
        file = await node_lookup.streamable_file(tx, grant.file_id)
        if file is None or not await self._may_stream(tx, grant):
            raise not_found("stream")
        return file

    async def _load(self, tx: Transaction, file: StreamableFile) -> PlayableFile:
        media = await queries.media_of(tx, file.id) or _NOT_PROBED
        renditions = await queries.renditions_of(tx, file.id)
        return PlayableFile(file, media, renditions, await sidecars.subtitle_tracks(tx, file))

    async def _image_url(self, key: str, lifetime: int) -> str:
        [url] = await self._delivery.picture_urls([key], lifetime)
        return url

    def _max_age(self, duration_ms: int | None) -> int:
        return self._streams.keep_seconds(self._streams.lifetime(duration_ms))


def not_playable() -> Problem:
    """Return 409 ``not-playable``."""
    return Problem(409, ProblemCode.NOT_PLAYABLE, "This file has nothing to play, or nothing yet.")


async def _bandwidths(tx: Transaction, row: RenditionRow) -> tuple[int, int]:
    """Return the peak and average bandwidth of a rendition; an unfinished one is measured by its segments so far."""
    if row.bandwidth is not None and row.average_bandwidth is not None:
        return row.bandwidth, row.average_bandwidth
    sizes = await repository.segment_sizes(tx, row.id)
    return peak(sizes, row.target_seconds), average(sizes)


def _variant(row: RenditionRow, bandwidths: tuple[int, int]) -> Variant:
    return Variant(f"{row.name}.m3u8", *bandwidths, row.codecs, row.width, row.height, row.frame_rate)


def _audio_track(row: RenditionRow, bandwidths: tuple[int, int]) -> AudioTrack:
    name = row.title or row.language or f"Track {int(row.name.removeprefix('a')) + 1}"
    return AudioTrack(f"{row.name}.m3u8", name, row.language, row.is_default, *bandwidths, row.codecs)
