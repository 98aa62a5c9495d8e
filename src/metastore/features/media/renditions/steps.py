"""The saga steps ``package`` and ``transcode``: create the HLS renditions of a video or audio file.

``package`` reads the file once and creates what needs no video encoding: the remuxed video, if it can be copied, and
all audio tracks. ``transcode`` decodes the video once and encodes the remaining rungs. The file can be played as soon
as the first segments exist. If no video can be copied, ``package`` therefore also encodes the first segment of the
smallest rung, which takes a fraction of the time that all rungs take.

A rendition's row is written before any of its objects and a segment's row after its object, each under the saga's
claim. A worker that has lost the claim may store objects, but no row will ever refer to them, and it deletes them
itself.

**Resuming.** ``package`` keeps finished renditions and starts the others again, since remuxing is quick. ``transcode``
resumes at the first segment that some rung lacks, provided that the encoder produces the same init segments as before;
if an upgrade changed the encoder, it starts again.

**Video that turns out not to be copyable.** Its rendition is deleted, the probe result is corrected, and ``transcode``
encodes it instead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from metastore.features.files.content import processing
from metastore.features.files.content.processing import Original
from metastore.features.media import repository
from metastore.features.media.objects.cleanup import try_to_delete
from metastore.features.media.objects.keys import rendition_keys
from metastore.features.media.objects.source_file import file_deleted, find_source_file, open_source
from metastore.features.media.objects.storage import delete_objects
from metastore.features.media.probe.results import dump_result
from metastore.features.media.renditions.job_recorder import InitChangedError, JobRecorder
from metastore.features.media.renditions.segment_storage import StoredSegment, Target, store_outputs
from metastore.features.media.renditions.state import RenditionState, has_renditions, is_playable, load_state
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.saga import claims
from metastore.kit.saga.claims import LeaseLostError
from metastore.kit.saga.definition import Effect, Outcome, Report, StepFailedError
from metastore.kit.saga.models import Saga
from metastore.ports.media_tools import MediaRefusedError, NotCopyableError
from metastore.ports.object_store import ObjectStore
from metastore.ports.transcoder import Ended, Job, Transcoder

_log = structlog.get_logger(__name__)


class RenditionSteps:
    """Creates renditions; awaits ``on_playable`` when a file becomes playable."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        transcoder: Transcoder,
        on_playable: Callable[[Saga], Awaitable[None]],
    ) -> None:
        self._database = database
        self._store = store
        self._transcoder = transcoder
        self._on_playable = on_playable
        self._running: dict[str, dict[str, Target]] = {}
        """The targets of running jobs by rendition ID, by saga ID. Kept after a lost lease, for the compensation."""

    async def package(self, saga: Saga, report: Report) -> Outcome:
        """Remux the video if possible, else encode the beginning of its smallest rung; create all audio renditions.

        Raises:
            StepFailedError: the file is damaged or was deleted.
        """
        if not await has_renditions(self._database, saga.subject):
            return None
        state = await load_state(self._database, saga.subject)
        if state.is_packaged and state.lead is None:
            return None
        original = await find_source_file(self._database, saga)
        while True:
            plan = state.ladder
            copied = plan.copied if plan.copied not in state.done else None
            audio = [track for track in plan.audio if track.name not in state.done]
            await self._delete_renditions(report, state, [copied, *(track.name for track in audio)])
            lead = [state.lead] if state.lead else []
            job = Job(copied_video=copied, audio=audio, rungs=lead, until=1 if lead else None)
            try:
                await self._run(saga, report, original, await load_state(self._database, original.file_id), job)
            except NotCopyableError as error:
                if copied is None:
                    raise StepFailedError(error.code, final=True) from error
                _log.info("video not copyable, will be encoded", file_id=original.file_id, reason=str(error))
                await self._mark_not_copyable(report, original, copied)
                state = await load_state(self._database, original.file_id)
                continue
            state = await load_state(self._database, original.file_id)
            if state.is_packaged:
                return None

    async def needs_encoding(self, saga: Saga) -> bool:
        """Return whether ``transcode`` has anything to do."""
        if not await has_renditions(self._database, saga.subject):
            return False
        return bool((await load_state(self._database, saga.subject)).unfinished_rungs)

    async def transcode(self, saga: Saga, report: Report) -> Outcome:
        """Encode the remaining rungs.

        Raises:
            StepFailedError: the file is damaged or was deleted.
        """
        if not await has_renditions(self._database, saga.subject):
            return None
        state = await load_state(self._database, saga.subject)
        if not state.is_packaged:
            # Only of sagas that were started by an older version.
            await self.package(saga, report)
        elif not state.unfinished_rungs:
            return None
        original = await find_source_file(self._database, saga)
        while True:
            state = await load_state(self._database, original.file_id)
            rungs = state.unfinished_rungs
            if not rungs:
                return None
            cuts = await self._segment_starts(state)
            first = min(state.extent(rung.name).count for rung in rungs)
            try:
                await self._run(saga, report, original, state, Job(rungs=rungs, cuts_us=cuts, first=first))
            except InitChangedError:
                _log.info("encoder changed, renditions restarted", file_id=original.file_id)
                await self._delete_renditions(report, state, [rung.name for rung in rungs])

    async def compensate(self, saga: Saga) -> Effect | None:
        """Compensate both steps: delete all renditions.

        If the saga's claim was lost, delete only the objects that this worker stored and no row refers to.
        """
        written = self._running.pop(saga.id, {})
        state = await load_state(self._database, saga.subject)
        async with self._database.reading() as tx:
            # Checked last: if the claim is held now, everything read before belongs to this attempt or earlier ones.
            is_held = await claims.is_held(tx, saga)
        known = {rendition.id for rendition in state.renditions.values()}
        obsolete = {target.key_prefix: target.reached for id_, target in written.items() if id_ not in known}
        if is_held:
            obsolete |= {one.key_prefix: state.extent(name).count for name, one in state.renditions.items()}
        deferred = await try_to_delete(self._store, saga.subject, renditions=obsolete)
        if not is_held:
            if deferred is not None:
                async with self._database.transaction() as tx:
                    tx.record(deferred)
            return None

        async def effect(tx: Transaction) -> None:
            if deferred is not None:
                tx.record(deferred)
            await repository.delete_renditions(tx, known)
            await processing.clear_playable(tx, saga.subject)

        return effect

    async def _run(self, saga: Saga, report: Report, original: Original, state: RenditionState, job: Job) -> None:
        recorder = JobRecorder(self._database, self._store, report, original, state, job)
        self._running[saga.id] = recorder.targets
        outputs = self._transcoder.make(open_source(self._store, original), job)

        async def record(rows: Sequence[StoredSegment | Ended]) -> None:
            if await recorder.record(rows):
                await self._on_playable(saga)

        try:
            await store_outputs(self._store, outputs, recorder.start, record)
        except (LeaseLostError, asyncio.CancelledError):
            # The compensation still needs to know what was stored.
            raise
        except BaseException as error:
            del self._running[saga.id]
            if isinstance(error, MediaRefusedError) and not isinstance(error, NotCopyableError):
                raise StepFailedError(error.code, final=True) from error
            raise
        del self._running[saga.id]

    async def _segment_starts(self, state: RenditionState) -> Sequence[int]:
        if state.ladder.copied is None:
            return ()
        async with self._database.reading() as tx:
            return await repository.segment_starts(tx, state.renditions[state.ladder.copied].id)

    async def _mark_not_copyable(self, report: Report, original: Original, copied: str) -> None:
        state = await load_state(self._database, original.file_id)
        corrected = replace(state.probed, video_copyable=False)
        await self._delete_renditions(report, state, [copied], probe_result=dump_result(corrected))

    async def _delete_renditions(
        self, report: Report, state: RenditionState, names: Iterable[str | None], **values: object
    ) -> None:
        """Delete renditions, objects first, and update columns of the file's media row."""
        existing = [name for name in names if name in state.renditions]
        if not existing and not values:
            return
        for name in existing:
            rendition = state.renditions[name]
            await delete_objects(self._store, rendition_keys(rendition.key_prefix, state.extent(name).count))
        async with report.transaction() as tx:
            await repository.delete_renditions(tx, [state.renditions[name].id for name in existing])
            if values and not await repository.update_media(tx, state.file_id, **values):
                raise file_deleted()
            if not await is_playable(tx, state.file_id, state.ladder):
                await processing.clear_playable(tx, state.file_id)
