"""What players are given: where a file streams from, its playlists, and what goes with them.

Each thing is found in a transaction (``find_…``) and written out after it. Who asks by a token is asked each time
whether the file may still be streamed: it must exist, lie in no trash and be sound. What a playlist names, segments
above all, are presigned addresses of the object store, which end by themselves.

A token tells where the permission came from: it is the owner's, or a link's, which ``may_stream`` is asked about.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from metastore.features.files import lookup
from metastore.features.files.lookup import StreamedFile
from metastore.features.files.service import FilesService
from metastore.features.files.stream_urls import StreamPass, StreamUrls
from metastore.features.files.thumbnails import CONTENT_TYPE
from metastore.features.media import bit_rates, playlists, repository, sidecars, stream_queries
from metastore.features.media.hovering import hover_cues
from metastore.features.media.models import AUDIO, DONE, VIDEO, init_key, segment_key
from metastore.features.media.playlists import Sound, Track, Variant
from metastore.features.media.schemas import RenditionOut, StreamOut, SubtitlesOut
from metastore.features.media.sidecars import Subtitles, SubtitleTexts
from metastore.features.media.stream_queries import MediaRow, RenditionRow
from metastore.kit.context import absolute
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem, not_found, unavailable
from metastore.ports.object_store import ObjectStore, ObjectStoreError

MayStream = Callable[[Transaction, StreamPass], Awaitable[bool]]
_NOTHING_KNOWN = MediaRow(None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Written:
    """A text for a player, and for how many seconds it stays as it is; 0: it may change at any moment."""

    text: str
    keep_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Film:
    """A file with all that can be played of it.

    ``rates`` are those of the renditions that a master playlist names: bits per second at the fullest and on average,
    by id.
    """

    file: StreamedFile
    media: MediaRow
    renditions: Sequence[RenditionRow]
    subtitles: Sequence[Subtitles]
    rates: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether it stays as it is."""
        return self.file.settled and all(rendition.state == DONE for rendition in self.renditions)

    def played(self, kind: str) -> list[RenditionRow]:
        """The renditions of that kind to name: the whole ones if there are any, else those that have begun."""
        begun = [rendition for rendition in self.renditions if rendition.kind == kind and rendition.begun]
        return [rendition for rendition in begun if rendition.state == DONE] or begun


@dataclass(frozen=True, slots=True)
class Strip:
    """One rendition with its segments: their numbers and durations in microseconds."""

    rendition: RenditionRow
    segments: Sequence[tuple[int, int]]
    duration_ms: int | None


async def owners_alone(_tx: Transaction, allowed: StreamPass) -> bool:
    """Whether the permission is the owner's own."""
    return allowed.link_id is None


class StreamingService:
    """See the module."""

    def __init__(
        self, store: ObjectStore, files: FilesService, streams: StreamUrls, may_stream: MayStream = owners_alone
    ) -> None:
        self._store = store
        self._files = files
        self._streams = streams
        self._may_stream = may_stream
        self._texts = SubtitleTexts(store)

    async def find_stream(self, tx: Transaction, owner_id: str, file_id: str) -> Film:
        """What the owner may play of a file.

        Raises:
            Problem: 404; 409 ``not-playable``, ``not-ready`` or ``file-damaged``.
        """
        file = await lookup.streamed(tx, file_id)
        if file is None or file.owner_id != owner_id:
            await self._files.require_stored(tx, owner_id, file_id)
            raise not_playable()
        return await self._film(tx, file)

    async def stream(self, film: Film, *, link_id: str | None = None) -> StreamOut:
        """Where it streams from, with the permission of its owner or of a link."""
        lifetime = self._streams.lifetime(film.media.duration_ms)
        base = self._streams.base_of(film.file.id, lifetime=lifetime, link_id=link_id)
        poster = film.media.preview_key or film.file.thumbnail_key
        return StreamOut(
            url=f"{base}/master.m3u8",
            renditions=[RenditionOut.model_validate(rendition) for rendition in film.renditions],
            complete=film.settled,
            poster=await self._picture(poster, lifetime) if poster else None,
            sprite=f"{base}/thumbnails.vtt" if film.media.sprite_key else None,
            subtitles=[
                SubtitlesOut(name=track.name, language=track.language, url=f"{base}/subtitles/{track.id}.vtt")
                for track in film.subtitles
            ],
            duration_ms=film.media.duration_ms,
        )

    async def find_master(self, tx: Transaction, token: str) -> Film:
        """What the token's file has to play.

        Raises:
            Problem: 404; 403 ``url-expired``.
        """
        film = await self._film(tx, await self._opened(tx, token))
        played = [*film.played(VIDEO), *film.played(AUDIO)]
        return replace(film, rates={row.id: await _rates(tx, row) for row in played})

    def master(self, film: Film) -> Written:
        """The master playlist.

        Raises:
            Problem: 404 when there is nothing to play.
        """
        pictures, sounds = film.played(VIDEO), film.played(AUDIO)
        if not pictures and (film.media.width or not sounds):
            raise not_found("stream")
        text = playlists.master(
            [_variant(row, film.rates[row.id]) for row in pictures],
            [_sound(row, film.rates[row.id]) for row in sounds],
            [Track(f"subtitles/{track.id}.m3u8", track.name, track.language) for track in film.subtitles],
        )
        return Written(text, self._keep(film.media.duration_ms) if film.settled else 0)

    async def find_media(self, tx: Transaction, token: str, name: str) -> Strip:
        """A rendition with its segments.

        Raises:
            Problem: as for the master; 404 when there is no such rendition, or nothing of it yet.
        """
        file = await self._opened(tx, token)
        rendition = await stream_queries.rendition_named(tx, file.id, name)
        if rendition is None or not rendition.begun:
            raise not_found("rendition")
        media = await stream_queries.media_of(tx, file.id) or _NOTHING_KNOWN
        return Strip(rendition, await stream_queries.segments_of(tx, rendition.id), media.duration_ms)

    async def media(self, strip: Strip) -> Written:
        """Its media playlist."""
        rendition = strip.rendition
        keys = [segment_key(rendition.key_prefix, number) for number, _ in strip.segments]
        lifetime = self._streams.lifetime(strip.duration_ms)
        content_type = "audio/mp4" if rendition.kind == AUDIO else "video/mp4"
        init, *urls = await self._urls([init_key(rendition.key_prefix), *keys], content_type, lifetime)
        done = rendition.state == DONE
        durations = [duration for _, duration in strip.segments]
        text = playlists.media(rendition.target_seconds, init, durations, urls, done=done)
        return Written(text, self._keep(strip.duration_ms) if done else 0)

    async def find_hover_pictures(self, tx: Transaction, token: str) -> MediaRow:
        """How small pictures lie along the time line.

        Raises:
            Problem: as for the master; 404 when there are none.
        """
        file = await self._opened(tx, token)
        media = await stream_queries.media_of(tx, file.id)
        if media is None or not media.sprite_key or not media.sprite:
            raise not_found("strip of pictures")
        return media

    async def hover_pictures(self, media: MediaRow) -> Written:
        """WebVTT whose cues name the pieces of one picture."""
        url = await self._picture(media.sprite_key or "", self._streams.lifetime(media.duration_ms))
        return Written(hover_cues(media.sprite or {}, media.duration_ms, url), self._keep(media.duration_ms))

    async def find_subtitles(self, tx: Transaction, token: str, subtitles_id: str) -> tuple[Subtitles, MediaRow]:
        """A track of subtitles, and what is known of its film.

        Raises:
            Problem: as for the master; 404 when there are no such subtitles beside it.
        """
        file = await self._opened(tx, token)
        for track in await sidecars.subtitles_of(tx, file):
            if track.id == subtitles_id:
                return track, await stream_queries.media_of(tx, file.id) or _NOTHING_KNOWN
        raise not_found("subtitle track")

    def subtitles_playlist(self, track: Subtitles, media: MediaRow) -> Written:
        """The media playlist of a track of subtitles."""
        return Written(playlists.subtitles((media.duration_ms or 1000) * 1000, f"{track.id}.vtt"))

    async def subtitles(self, track: Subtitles) -> Written:
        """A track of subtitles as WebVTT.

        Raises:
            Problem: 404 when it is none after all; 503 when the store does not answer.
        """
        return Written(await self._texts.of(track))

    async def _opened(self, tx: Transaction, token: str) -> StreamedFile:
        allowed = self._streams.opened(token)
        file = await lookup.streamed(tx, allowed.file_id)
        if file is None or not await self._may_stream(tx, allowed):
            raise not_found("stream")
        return file

    async def _film(self, tx: Transaction, file: StreamedFile) -> Film:
        media = await stream_queries.media_of(tx, file.id) or _NOTHING_KNOWN
        renditions = await stream_queries.renditions_of(tx, file.id)
        return Film(file, media, renditions, await sidecars.subtitles_of(tx, file))

    async def _picture(self, key: str, lifetime: int) -> str:
        [url] = await self._urls([key], CONTENT_TYPE, lifetime)
        return url

    async def _urls(self, keys: Sequence[str], content_type: str, lifetime: int) -> list[str]:
        try:
            urls = await self._store.presign_reads(keys, content_type=content_type, expires_in=lifetime)
        except ObjectStoreError as error:
            raise unavailable("The object store does not answer.") from error
        return [absolute(url) for url in urls]

    def _keep(self, duration_ms: int | None) -> int:
        return self._streams.keep_seconds(self._streams.lifetime(duration_ms))


def not_playable() -> Problem:
    """409 ``not-playable``."""
    return Problem(409, "not-playable", "There is nothing to be played of this file (yet).")


async def _rates(tx: Transaction, row: RenditionRow) -> tuple[int, int]:
    """What is known once it is done, else what can be said of the segments that there are."""
    if row.bandwidth is not None and row.average_bandwidth is not None:
        return row.bandwidth, row.average_bandwidth
    weights = await repository.weights_of(tx, row.id)
    return bit_rates.peak(weights, row.target_seconds), bit_rates.average(weights)


def _variant(row: RenditionRow, rates: tuple[int, int]) -> Variant:
    return Variant(f"{row.name}.m3u8", *rates, row.codecs, row.width, row.height, row.frame_rate)


def _sound(row: RenditionRow, rates: tuple[int, int]) -> Sound:
    name = row.title or row.language or f"Track {int(row.name.removeprefix('a')) + 1}"
    return Sound(f"{row.name}.m3u8", name, row.language, row.is_default, *rates, row.codecs)
