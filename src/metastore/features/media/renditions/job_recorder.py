"""Record the output of a transcoder job in the database."""

from collections.abc import Sequence

from metastore.features.files.content import processing
from metastore.features.files.content.processing import Original
from metastore.features.media import repository
from metastore.features.media.models import AUDIO, MAKING, VIDEO, Rendition
from metastore.features.media.objects.keys import init_key, unrecorded_keys
from metastore.features.media.objects.storage import delete_objects
from metastore.features.media.renditions.bandwidth import average, peak
from metastore.features.media.renditions.segment_storage import StoredSegment, Target
from metastore.features.media.renditions.state import RenditionState, is_playable, required_kinds
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga.definition import Report
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore
from metastore.ports.transcoder import Ended, Job, Started

_MAX_LANGUAGE, _MAX_TITLE, _MAX_CODECS = 35, 200, 100


class InitChangedError(Exception):
    """A rendition cannot be resumed: its init segment differs from the one that is stored."""


class JobRecorder:
    """Writes the renditions and segments of one transcoder job, and marks the file playable as soon as it is."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        report: Report,
        original: Original,
        state: RenditionState,
        job: Job,
    ) -> None:
        self._database = database
        self._store = store
        self._report = report
        self._original = original
        self._state = state
        self._job = job
        self._ids: dict[str, str] = {}
        self._target_seconds: dict[str, int] = {}
        self._tracks = {track.name: state.probed.audio_tracks[track.index] for track in job.audio}
        self._required = required_kinds(state.ladder)
        # The first segments of a rung are made beside the renditions that are made whole, and are no progress.
        rungs = job.rungs if job.until is None else ()
        names = [*self._tracks, *(rung.name for rung in rungs), *filter(None, [job.copied_video])]
        self._ends = {name: state.extent(name).end_us for name in names}
        self.targets: dict[str, Target] = {}
        """Where objects are stored, by rendition ID."""

    async def start(self, started: Started) -> Target:
        """Insert a rendition, or resume the one that exists.

        Raises:
            InitChangedError: it exists and cannot be resumed.
        """
        name = started.rendition
        kind = AUDIO if name in self._tracks else VIDEO
        existing = self._state.renditions.get(name)
        if existing is not None:
            count = self._state.extent(name).count
            if count and not await self._is_stored(init_key(existing.key_prefix), started.init):
                raise InitChangedError(name)
            # An earlier attempt may have stored segments without recording them, and no key is written twice.
            await delete_objects(self._store, unrecorded_keys(existing.key_prefix, count))
            target = Target(kind, existing.key_prefix, count, count, has_init=count > 0)
            self._ids[name], self._target_seconds[name] = existing.id, existing.target_seconds
        else:
            row = self._rendition_row(started, kind)
            async with self._report.transaction() as tx:
                await repository.add(tx, row)
            target = Target(kind, row.key_prefix)
            self._ids[name], self._target_seconds[name] = row.id, row.target_seconds
        self.targets[self._ids[name]] = target
        return target

    async def record(self, outputs: Sequence[StoredSegment | Ended]) -> bool:
        """Write the rows of stored segments and finished renditions; return whether the file just became playable."""
        segments = [item for item in outputs if isinstance(item, StoredSegment)]
        for segment in segments:
            if segment.rendition in self._ends:
                self._ends[segment.rendition] = segment.start_us + segment.duration_us
        further = bool(segments) and bool(self._job.rungs)
        became_playable = False
        async with self._report.transaction(percent=self._percent(), further=further) as tx:
            await repository.add_segments(tx, [self._segment_row(segment) for segment in segments])
            for item in outputs:
                if isinstance(item, Ended):
                    await self._finish(tx, item.rendition)
            if self._required and await is_playable(tx, self._original.file_id, self._state.ladder):
                self._required = set()
                became_playable = await processing.mark_playable(tx, self._original.file_id)
        return became_playable

    def _percent(self) -> int:
        duration_us = (self._state.probed.duration_ms or 0) * 1000
        if not duration_us or not self._ends:
            return 0
        return min(99, int(100 * sum(self._ends.values()) / len(self._ends) / duration_us))

    async def _finish(self, tx: Transaction, name: str) -> None:
        sizes = await repository.segment_sizes(tx, self._ids[name])
        await repository.finish(
            tx,
            self._ids[name],
            bandwidth=peak(sizes, self._target_seconds[name]),
            average_bandwidth=average(sizes),
        )

    async def _is_stored(self, key: str, init: bytes) -> bool:
        try:
            stored = b"".join([chunk async for chunk in self._store.read(key)])
        except ObjectNotFoundError:
            return False
        return stored == init

    def _segment_row(self, segment: StoredSegment) -> dict[str, object]:
        return {
            "rendition_id": self._ids[segment.rendition],
            "number": segment.number,
            "start_us": segment.start_us,
            "duration_us": segment.duration_us,
            "size": segment.size,
        }

    def _rendition_row(self, started: Started, kind: str) -> Rendition:
        name, rendition_id = started.rendition, new_id()
        track = self._tracks.get(name)
        is_copied_audio = any(audio.name == name and audio.copy for audio in self._job.audio)
        return Rendition(
            id=rendition_id,
            file_id=self._original.file_id,
            name=name,
            kind=kind,
            state=MAKING,
            copied=is_copied_audio or name == self._job.copied_video,
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
