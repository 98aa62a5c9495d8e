"""One job of the transcoder, and what the database is told of it."""

from collections.abc import Sequence

from metastore.features.files import processing
from metastore.features.files.processing import Original
from metastore.features.media import bit_rates, repository
from metastore.features.media.models import AUDIO, MAKING, VIDEO, Rendition, init_key
from metastore.features.media.originals import delete_all
from metastore.features.media.progress import State, is_playable, kinds_needed
from metastore.features.media.storing import Place, Stored, keys_ahead
from metastore.kit.database import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga_steps import Report
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore
from metastore.ports.transcoder import Ended, Job, Started

_MAX_LANGUAGE, _MAX_TITLE, _MAX_CODECS = 35, 200, 100


class InitChangedError(Exception):
    """A rendition cannot be gone on with: what there is of it does not fit what comes now."""


class Making:
    """Writes the rows of one job; see ``storing``."""

    def __init__(
        self, database: Database, store: ObjectStore, report: Report, original: Original, state: State, job: Job
    ) -> None:
        self._database = database
        self._store = store
        self._report = report
        self._original = original
        self._state = state
        self._job = job
        self._ids: dict[str, str] = {}
        self._targets: dict[str, int] = {}
        self._tracks = {track.name: state.facts.audio_tracks[track.index] for track in job.audio}
        self._needed = kinds_needed(state.ladder)
        names = [*self._tracks, *(rung.name for rung in job.rungs), *filter(None, [job.copied_video])]
        self._ends = {name: state.extent(name).end_us for name in names}
        self.places: dict[str, Place] = {}
        """Where objects are put, by rendition's id."""

    async def begin(self, started: Started) -> Place:
        """Write a rendition's row, or go on with the one that there is.

        Raises:
            InitChangedError: that is not possible.
        """
        name = started.rendition
        kind = AUDIO if name in self._tracks else VIDEO
        known = self._state.renditions.get(name)
        if known is not None:
            count = self._state.extent(name).count
            if count and not await self._is_same(init_key(known.key_prefix), started.init):
                raise InitChangedError(name)
            # Whoever was at it before may have stored more than it could note, and no key is written twice.
            await delete_all(self._store, keys_ahead(known.key_prefix, count))
            place = Place(kind, known.key_prefix, count, count, has_init=count > 0)
            self._ids[name], self._targets[name] = known.id, known.target_seconds
        else:
            row = self._row(started, kind)
            async with self._report.transaction() as tx:
                await repository.add(tx, row)
            place = Place(kind, row.key_prefix)
            self._ids[name], self._targets[name] = row.id, row.target_seconds
        self.places[self._ids[name]] = place
        return place

    async def write(self, made: Sequence[Stored | Ended]) -> bool:
        """Write the rows of what was made; whether the file can be played since."""
        segments = [item for item in made if isinstance(item, Stored)]
        for segment in segments:
            self._ends[segment.rendition] = segment.start_us + segment.duration_us
        further = bool(segments) and bool(self._job.rungs)
        became_playable = False
        async with self._report.transaction(percent=self._percent(), further=further) as tx:
            await repository.add_segments(tx, [self._segment_row(segment) for segment in segments])
            for item in made:
                if isinstance(item, Ended):
                    await self._finish(tx, item.rendition)
            if self._needed and await is_playable(tx, self._original.file_id, self._state.ladder):
                self._needed = set()
                became_playable = await processing.make_playable(tx, self._original.file_id)
        return became_playable

    def _percent(self) -> int:
        duration_us = (self._state.facts.duration_ms or 0) * 1000
        if not duration_us or not self._ends:
            return 0
        return min(99, int(100 * sum(self._ends.values()) / len(self._ends) / duration_us))

    async def _finish(self, tx: Transaction, name: str) -> None:
        weights = await repository.weights_of(tx, self._ids[name])
        await repository.finish(
            tx,
            self._ids[name],
            bandwidth=bit_rates.peak(weights, self._targets[name]),
            average_bandwidth=bit_rates.average(weights),
        )

    async def _is_same(self, key: str, init: bytes) -> bool:
        try:
            stored = b"".join([chunk async for chunk in self._store.read(key)])
        except ObjectNotFoundError:
            return False
        return stored == init

    def _segment_row(self, segment: Stored) -> dict[str, object]:
        return {
            "rendition_id": self._ids[segment.rendition],
            "number": segment.number,
            "start_us": segment.start_us,
            "duration_us": segment.duration_us,
            "size": segment.size,
        }

    def _row(self, started: Started, kind: str) -> Rendition:
        name, rendition_id = started.rendition, new_id()
        track = self._tracks.get(name)
        copied_audio = any(audio.name == name and audio.copy for audio in self._job.audio)
        return Rendition(
            id=rendition_id,
            file_id=self._original.file_id,
            name=name,
            kind=kind,
            state=MAKING,
            copied=copied_audio or name == self._job.copied_video,
            key_prefix=f"{self._original.object_key}/hls/{rendition_id}",
            codecs=started.codecs[:_MAX_CODECS],
            target_seconds=started.target_seconds,
            width=started.width,
            height=started.height,
            frame_rate=started.frame_rate,
            language=track.language[:_MAX_LANGUAGE] if track and track.language else None,
            title=track.title[:_MAX_TITLE] if track and track.title else None,
            is_default=bool(track and track.default),
        )
