"""Streaming: a file's stream, its playlists, sprite and subtitles.

Every response is prepared in two steps: ``find_…`` reads from the database within a transaction, the method after it
builds the response without one. With each request that carries a token the file is checked again: it must exist, must
not be in the trash and must not be damaged.

A token contains who granted access. If it was the owner, playlists refer to segments by presigned URLs, which expire.
If it was a share link, its visitors' access to the file is decided anew with each request; playlists refer to routes
below the token, which redirect to URLs that are valid for seconds. Such a stream therefore ends when the link does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from metastore.features.auth.schemas import Visitor
from metastore.features.files.delivery import Delivery
from metastore.features.files.listing import node_lookup
from metastore.features.files.listing.node_lookup import StreamableFile
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import NodeAccess, authorize_many
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

_INIT, _SEGMENT_SUFFIX, _SPRITE = "init.mp4", ".m4s", "sprite.webp"
_MAX_DIGITS = 6
"""Of a segment's number."""
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
    ``is_shared`` if a share link grants access.
    """

    file: StreamableFile
    media: MediaRow
    renditions: Sequence[RenditionRow]
    subtitles: Sequence[SubtitleTrack]
    is_shared: bool = False
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
    """A rendition with the number and the duration in microseconds of each of its segments.

    ``redirects`` if its playlist refers to routes below the token instead of presigned URLs.
    """

    rendition: RenditionRow
    segments: Sequence[tuple[int, int]]
    duration_ms: int | None
    redirects: bool = False


class StreamingService:
    """Finds playable files and builds the responses that players need."""

    def __init__(
        self,
        store: ObjectStore,
        delivery: Delivery,
        files: FilesService,
        streams: StreamUrls,
    ) -> None:
        self._delivery = delivery
        self._files = files
        self._streams = streams
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
        return await self._load(tx, file, access.principal if isinstance(access.principal, Visitor) else None)

    async def stream(
        self, playable: PlayableFile, *, visitor: Visitor | None = None, poster_url: str | None = None
    ) -> StreamOut:
        """Return where to stream the file from.

        For a visitor of a share link, ``poster_url`` is the URL of the poster, if the file has one.
        """
        lifetime = self._streams.lifetime(playable.media.duration_ms)
        link_id, version = (visitor.link_id, visitor.grant_version) if visitor else (None, 0)
        base = self._streams.stream_base_url(playable.file.id, lifetime=lifetime, link_id=link_id, link_version=version)
        poster = playable.media.preview_key or playable.file.thumbnail_key
        if poster and poster_url is None:
            poster_url = await self._image_url(poster, lifetime)
        return StreamOut(
            url=f"{base}/master.m3u8",
            renditions=[RenditionOut.model_validate(rendition) for rendition in playable.renditions],
            complete=playable.is_complete,
            poster=poster_url if poster else None,
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
        file, visitor = await self._authorize(tx, token)
        playable = await self._load(tx, file, visitor)
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
        is_final = playable.is_complete and not playable.is_shared
        return CacheableText(text, self._max_age(playable.media.duration_ms) if is_final else 0)

    async def find_media(self, tx: Transaction, token: str, name: str) -> RenditionSegments:
        """Find a rendition of the token's file, with its segments.

        Raises:
            Problem: as for the master playlist; 404 if there is no such rendition or it has no segment yet.
        """
        file, visitor = await self._authorize(tx, token)
        rendition = await self._rendition(tx, file, name)
        media = await queries.media_of(tx, file.id) or _NOT_PROBED
        segments = await queries.segments_of(tx, rendition.id)
        return RenditionSegments(rendition, segments, media.duration_ms, redirects=visitor is not None)

    async def media(self, found: RenditionSegments) -> CacheableText:
        """Return the media playlist of a rendition.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        rendition, done = found.rendition, found.rendition.state == DONE
        init, *urls = await self._segment_urls(found)
        durations = [duration for _, duration in found.segments]
        text = playlists.media(rendition.target_seconds, init, durations, urls, done=done)
        return CacheableText(text, self._max_age(found.duration_ms) if done and not found.redirects else 0)

    async def find_segment(self, tx: Transaction, token: str, name: str, segment: str) -> tuple[str, str]:
        """Find a segment of the file of a share link's token; return its object key and content type.

        Raises:
            Problem: as for the master playlist; 404 if there is no such rendition, or for an owner's token.
        """
        file = await self._authorize_redirect(tx, token)
        rendition = await self._rendition(tx, file, name)
        number = segment.removesuffix(_SEGMENT_SUFFIX)
        if segment == _INIT:
            return init_key(rendition.key_prefix), _content_type(rendition)
        if number == segment or not (number.isascii() and number.isdecimal() and len(number) <= _MAX_DIGITS):
            raise not_found("segment")
        return segment_key(rendition.key_prefix, int(number)), _content_type(rendition)

    async def find_sprite_image(self, tx: Transaction, token: str) -> str:
        """Return the key of the sprite of the file of a share link's token.

        Raises:
            Problem: as for the master playlist; 404 if there is no sprite, or for an owner's token.
        """
        file = await self._authorize_redirect(tx, token)
        media = await queries.media_of(tx, file.id)
        if media is None or not media.sprite_key:
            raise not_found("sprite")
        return media.sprite_key

    async def segment_url(self, key: str, content_type: str) -> str:
        """Return a URL of a segment that is valid for seconds.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        [url] = await self._delivery.segment_urls([key], content_type, self._delivery.visitor_ttl)
        return url

    async def sprite_image_url(self, key: str) -> str:
        """Return a URL of a sprite that is valid for seconds.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        return await self._image_url(key, self._delivery.visitor_ttl)

    async def find_sprite(self, tx: Transaction, token: str) -> tuple[MediaRow, bool]:
        """Find the sprite of the token's file, and whether its image is to be reached by a redirect.

        Raises:
            Problem: as for the master playlist; 404 if there is no sprite.
        """
        file, visitor = await self._authorize(tx, token)
        media = await queries.media_of(tx, file.id)
        if media is None or not media.sprite_key or not media.sprite:
            raise not_found("sprite")
        return media, visitor is not None

    async def sprite(self, media: MediaRow, *, redirects: bool = False) -> CacheableText:
        """Return WebVTT that maps times to regions of the sprite.

        Raises:
            Problem: 503 during an outage of the object store.
        """
        if redirects:
            return CacheableText(sprite_cues(media.sprite or {}, media.duration_ms, _SPRITE))
        url = await self._image_url(media.sprite_key or "", self._streams.lifetime(media.duration_ms))
        return CacheableText(sprite_cues(media.sprite or {}, media.duration_ms, url), self._max_age(media.duration_ms))

    async def find_subtitles(self, tx: Transaction, token: str, subtitles_id: str) -> tuple[SubtitleTrack, MediaRow]:
        """Find a subtitle track of the token's file, and the file's media row.

        Raises:
            Problem: as for the master playlist; 404 if there is no such track.
        """
        file, visitor = await self._authorize(tx, token)
        for track in await _subtitle_tracks(tx, file, visitor):
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

    async def _authorize(self, tx: Transaction, token: str) -> tuple[StreamableFile, Visitor | None]:
        grant = self._streams.verify_token(token)
        visitor = Visitor(grant.link_id, grant.link_version) if grant.link_id else None
        file = await node_lookup.streamable_file(tx, grant.file_id)
        if file is None or (visitor and not await _may_view(tx, visitor, file)):
            raise not_found("stream")
        return file, visitor

    async def _authorize_redirect(self, tx: Transaction, token: str) -> StreamableFile:
        file, visitor = await self._authorize(tx, token)
        if visitor is None:
            raise not_found("segment")  # owners' playlists refer to presigned URLs
        return file

    async def _rendition(self, tx: Transaction, file: StreamableFile, name: str) -> RenditionRow:
        rendition = await queries.rendition_named(tx, file.id, name)
        if rendition is None or not rendition.has_segments:
            raise not_found("rendition")
        return rendition

    async def _load(self, tx: Transaction, file: StreamableFile, visitor: Visitor | None) -> PlayableFile:
        media = await queries.media_of(tx, file.id) or _NOT_PROBED
        renditions = await queries.renditions_of(tx, file.id)
        subtitles = await _subtitle_tracks(tx, file, visitor)
        return PlayableFile(file, media, renditions, subtitles, is_shared=visitor is not None)

    async def _segment_urls(self, found: RenditionSegments) -> list[str]:
        """Return the URLs of the init segment and of the segments, for a playlist."""
        rendition, numbers = found.rendition, [number for number, _ in found.segments]
        if found.redirects:
            return [f"{rendition.name}/{name}" for name in (_INIT, *(f"{each}{_SEGMENT_SUFFIX}" for each in numbers))]
        keys = [init_key(rendition.key_prefix), *(segment_key(rendition.key_prefix, number) for number in numbers)]
        lifetime = self._streams.lifetime(found.duration_ms)
        return await self._delivery.segment_urls(keys, _content_type(rendition), lifetime)

    async def _image_url(self, key: str, lifetime: int) -> str:
        [url] = await self._delivery.picture_urls([key], lifetime)
        return url

    def _max_age(self, duration_ms: int | None) -> int:
        return self._streams.keep_seconds(self._streams.lifetime(duration_ms))


async def _may_view(tx: Transaction, visitor: Visitor, file: StreamableFile) -> bool:
    return file.id in await authorize_many(tx, visitor, [file.id])


async def _subtitle_tracks(tx: Transaction, file: StreamableFile, visitor: Visitor | None) -> list[SubtitleTrack]:
    """Return a video's subtitle tracks. They are files of their own, which a visitor may or may not see."""
    tracks = await sidecars.subtitle_tracks(tx, file)
    if visitor is None or not tracks:
        return tracks
    seen = await authorize_many(tx, visitor, [track.id for track in tracks])
    return [track for track in tracks if track.id in seen]


def _content_type(rendition: RenditionRow) -> str:
    return "audio/mp4" if rendition.kind == AUDIO else "video/mp4"


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
