"""The steps ``package`` and ``transcode``: a film or sound made into what can be streamed.

``package`` reads the file once and makes what needs no encoding of pictures: the picture itself, where it can be
copied, and all sound. ``transcode`` makes the other sizes by one decoding. The file can be played from the first
segments on.

A rendition's row is written before anything of it is stored, and a segment's after, each under the saga's claim: a
worker that has lost the saga can store objects, but nobody will ever hear of them, and it deletes them itself.

**Going on.** Of ``package`` a rendition that is done stays, and one that is not is dropped and made anew: reading is
quick. ``transcode`` goes on at the first segment that not all sizes have, as long as their initialisation segments come
out the same as before; after an upgrade that changed the encoder it begins anew.

**When the picture cannot be copied** after all, its rendition is dropped, what was found in the file is corrected, and
the picture is encoded instead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from metastore.features.files import processing
from metastore.features.files.processing import Original
from metastore.features.media import repository
from metastore.features.media.facts import as_json
from metastore.features.media.freeing import free
from metastore.features.media.making import InitChangedError, Making
from metastore.features.media.originals import delete_all, gone, original_of, source_of
from metastore.features.media.progress import State, is_playable, state_of
from metastore.features.media.storing import Place, Stored, keys_of, store_all
from metastore.kit import saga_claims
from metastore.kit.database import Database, Transaction
from metastore.kit.saga_claims import LeaseLostError
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Effect, Outcome, Report, StepFailedError
from metastore.ports.media_tools import MediaRefusedError, NotCopyableError
from metastore.ports.object_store import ObjectStore
from metastore.ports.transcoder import Ended, Job, Transcoder

_log = structlog.get_logger(__name__)


class Rendering:
    """Makes renditions; ``playable`` is called once a file can be played."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        transcoder: Transcoder,
        playable: Callable[[Saga], Awaitable[None]],
    ) -> None:
        self._database = database
        self._store = store
        self._transcoder = transcoder
        self._playable = playable
        self._at_work: dict[str, dict[str, Place]] = {}
        """By saga, where its objects are put by rendition; until they are made, or a lost saga is cleaned up after."""

    async def package(self, saga: Saga, report: Report) -> Outcome:
        """Make what needs no encoding of pictures, in one reading.

        Raises:
            StepFailedError: the film is damaged, or the file is gone.
        """
        original = await original_of(self._database, saga)
        while True:
            state = await state_of(self._database, original.file_id)
            plan = state.ladder
            copied = plan.copied if plan.copied not in state.done else None
            audio = [track for track in plan.audio if track.name not in state.done]
            if copied is None and not audio:
                return None
            await self._drop_some(report, state, [copied, *(track.name for track in audio)])
            job = Job(copied_video=copied, audio=audio)
            try:
                await self._make(saga, report, original, await state_of(self._database, original.file_id), job)
            except NotCopyableError as error:
                if copied is None:
                    raise StepFailedError(error.code, final=True) from error
                _log.info("a picture is not copied", file_id=original.file_id, reason=str(error))
                await self._do_not_copy(report, original, copied)

    async def has_to_encode(self, saga: Saga) -> bool:
        """Whether ``transcode`` has anything to do."""
        return bool((await state_of(self._database, saga.subject)).rungs_left)

    async def transcode(self, saga: Saga, report: Report) -> Outcome:
        """Make the other sizes, in one decoding.

        Raises:
            StepFailedError: the film is damaged, or the file is gone.
        """
        # Nothing is left to do there, but for files whose processing an older version began.
        await self.package(saga, report)
        original = await original_of(self._database, saga)
        while True:
            state = await state_of(self._database, original.file_id)
            rungs = state.rungs_left
            if not rungs:
                return None
            cuts = await self._cuts(state)
            first = min(state.extent(rung.name).count for rung in rungs)
            try:
                await self._make(saga, report, original, state, Job(rungs=rungs, cuts_us=cuts, first=first))
            except InitChangedError:
                _log.info("renditions are begun anew", file_id=original.file_id)
                await self._drop_some(report, state, [rung.name for rung in rungs])

    async def drop(self, saga: Saga) -> Effect | None:
        """Take both back; of a saga that was lost only what this worker stored, and no row tells of."""
        written = self._at_work.pop(saga.id, {})
        state = await state_of(self._database, saga.subject)
        async with self._database.reading() as tx:
            # Asked last: what was read before is then of this attempt, or of earlier ones.
            is_held = await saga_claims.is_held(tx, saga)
        known = {rendition.id for rendition in state.renditions.values()}
        unwanted = {place.key_prefix: place.reached for id_, place in written.items() if id_ not in known}
        if is_held:
            unwanted |= {one.key_prefix: state.extent(name).count for name, one in state.renditions.items()}
        later = await free(self._store, saga.subject, renditions=unwanted)
        if not is_held:
            if later is not None:
                async with self._database.transaction() as tx:
                    tx.record(later)
            return None

        async def effect(tx: Transaction) -> None:
            if later is not None:
                tx.record(later)
            await repository.drop(tx, known)
            await processing.clear_playable(tx, saga.subject)

        return effect

    async def _make(self, saga: Saga, report: Report, original: Original, state: State, job: Job) -> None:
        making = Making(self._database, self._store, report, original, state, job)
        self._at_work[saga.id] = making.places
        outputs = self._transcoder.make(source_of(self._store, original), job)

        async def write(rows: Sequence[Stored | Ended]) -> None:
            if await making.write(rows):
                await self._playable(saga)

        try:
            await store_all(self._store, outputs, making.begin, write)
        except (LeaseLostError, asyncio.CancelledError):
            # Whoever cleans up after a lost saga needs to know what was stored.
            raise
        except BaseException as error:
            del self._at_work[saga.id]
            if isinstance(error, MediaRefusedError) and not isinstance(error, NotCopyableError):
                raise StepFailedError(error.code, final=True) from error
            raise
        del self._at_work[saga.id]

    async def _cuts(self, state: State) -> Sequence[int]:
        if state.ladder.copied is None:
            return ()
        async with self._database.reading() as tx:
            return await repository.cuts_of(tx, state.renditions[state.ladder.copied].id)

    async def _do_not_copy(self, report: Report, original: Original, copied: str) -> None:
        state = await state_of(self._database, original.file_id)
        facts = replace(state.facts, video_copyable=False)
        await self._drop_some(report, state, [copied], facts=as_json(facts))

    async def _drop_some(self, report: Report, state: State, names: Iterable[str | None], **values: object) -> None:
        """Drop those renditions, objects first, and change what is known about the file."""
        dropped = [name for name in names if name in state.renditions]
        if not dropped and not values:
            return
        await self._delete_objects(state, dropped)
        async with report.transaction() as tx:
            await repository.drop(tx, [state.renditions[name].id for name in dropped])
            if values and not await repository.change(tx, state.file_id, **values):
                raise gone()
            if not await is_playable(tx, state.file_id, state.ladder):
                await processing.clear_playable(tx, state.file_id)

    async def _delete_objects(self, state: State, names: Iterable[str]) -> None:
        for name in names:
            rendition = state.renditions[name]
            await delete_all(self._store, keys_of(rendition.key_prefix, state.extent(name).count))
