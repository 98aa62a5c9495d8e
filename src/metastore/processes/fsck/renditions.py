"""Find broken renditions, and files whose playable flag is wrong.

Renditions that are being made are skipped. A repair deletes what is broken and has it made again from the original.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

from metastore.features.files.content import integrity, processing
from metastore.features.media.objects import integrity as media
from metastore.features.media.objects.integrity import StoredRendition
from metastore.features.media.objects.storage import delete_objects
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore
from metastore.processes.fsck.check import Finding, Severity

_PAGE = 20
"""Renditions per page. A video of a few hours has thousands of segments in each of five renditions."""
_CONCURRENCY = 8
_FILES_PAGE = 200
_REMAKE = "deletes it and has it made again"


class RenditionsCheck:
    """Renditions with missing or damaged objects, of files that are not being processed."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    async def suspects(self) -> AsyncIterator[StoredRendition]:
        """Yield broken renditions, and those left over from failed processing."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await media.stored_renditions(tx, after, _PAGE)
                settled = await integrity.processing_outcomes(tx, [rendition.file_id for rendition in page])
                inactive = [rendition for rendition in page if rendition.file_id in settled]
                sizes = await media.object_sizes(tx, inactive)
            if not page:
                return
            after = page[-1].id
            for rendition in inactive:
                if await self._fault_of(rendition, sizes[rendition.id], is_ready=settled[rendition.file_id]):
                    yield rendition

    async def confirm(self, suspect: StoredRendition) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            rendition = await media.find_rendition(tx, suspect.id)
            is_ready = (await integrity.processing_outcomes(tx, [suspect.file_id])).get(suspect.file_id)
            sizes = await media.object_sizes(tx, [suspect])
        if rendition is None or is_ready is None:
            return None
        fault = await self._fault_of(rendition, sizes[suspect.id], is_ready=is_ready)
        if fault is None:
            return None
        found = f"the rendition {suspect.name} of file {suspect.file_id} {fault}"
        return Finding("broken-rendition", Severity.ERROR, suspect.id, found, _REMAKE if is_ready else "deletes it")

    async def repair(self, suspect: StoredRendition) -> str:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            sizes = await media.object_sizes(tx, [suspect])
        await delete_objects(self._store, sizes[suspect.id])
        async with self._database.transaction() as tx:
            # Lock the saga's row first, in the same order as the steps that make renditions.
            again = await processing.restart_processing(tx, suspect.file_id)
            await media.delete_rendition(tx, suspect.id)
            if not await media.files_with_segments(tx, [suspect.file_id]):
                await processing.clear_playable(tx, suspect.file_id)
        return "deleted, and will be made again" if again else "deleted"

    async def _fault_of(
        self, rendition: StoredRendition, sizes: Mapping[str, int | None], *, is_ready: bool
    ) -> str | None:
        if not is_ready:
            return "was left over by failed processing"
        if not rendition.is_done:
            return "was never completed"
        faults = await asyncio.gather(*(self._fault_of_object(key, size) for key, size in sizes.items()))
        found = [fault for fault in faults if fault]
        return f"{found[0]} ({len(found) - 1} more objects are damaged)" if len(found) > 1 else next(iter(found), None)

    async def _fault_of_object(self, key: str, size: int | None) -> str | None:
        async with self._slots:
            try:
                stored = await self._store.examine(key)
            except ObjectNotFoundError:
                return f"is incomplete: {key} is not in the store"
            except DamagedObjectError as error:
                return f"is incomplete: {key} is damaged: {error}"
        if size is not None and stored.size != size:
            return f"is incomplete: {key} has {stored.size} bytes instead of {size}"
        return None


class PlayableCheck:
    """Ready files that are marked as playable but are not, or are playable but not marked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of files whose mark is wrong."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await integrity.playable_files(tx, after, _FILES_PAGE)
                playable = await media.files_with_segments(tx, page)
            for file_id in page:
                if file_id not in playable:
                    yield file_id
            if not page:
                break
            after = page[-1]
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await media.files_with_finished_renditions(tx, after, _FILES_PAGE)
                marked = await integrity.playable_flags(tx, page)
            for file_id, is_marked in marked.items():
                if not is_marked:
                    yield file_id
            if not page:
                return
            after = page[-1]

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            is_marked, is_playable = await self._state_of(tx, suspect)
        if is_marked is None or is_marked == is_playable:
            return None
        found = "the file is marked as playable, but has nothing to play"
        repair = "removes the mark and has the file processed again"
        if is_playable:
            found, repair = "the file can be played, but is not marked as playable", "marks it as playable"
        return Finding("wrong-playable", Severity.ERROR, suspect, found, repair)

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            _, is_playable = await self._state_of(tx, suspect)
            if is_playable:
                await processing.mark_playable(tx, suspect)
                return "marked"
            again = await processing.restart_processing(tx, suspect)
            await processing.clear_playable(tx, suspect)
        return "no longer marked, and will be processed again" if again else "no longer marked"

    async def _state_of(self, tx: Transaction, file_id: str) -> tuple[bool | None, bool]:
        marked = (await integrity.playable_flags(tx, [file_id])).get(file_id)
        return marked, bool(await media.files_with_segments(tx, [file_id]))
