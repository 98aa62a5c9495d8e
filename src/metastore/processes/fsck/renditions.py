"""Renditions: is everything there that their rows tell of, and can be played what is said to be?

What is being made is left alone. A repair drops what is broken and has it made again from the original.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

from metastore.features.files import checking, processing
from metastore.features.media import checking as media
from metastore.features.media.checking import StoredRendition
from metastore.features.media.object_storage import delete_all
from metastore.kit.database import Database, Transaction
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore
from metastore.processes.fsck.check import Finding, Severity

_PAGE = 20
"""A film of some hours has some thousand segments, in each of five renditions."""
_AT_ONCE = 8
_FILES = 200
_AGAIN = "drops it and has it made again"


class RenditionsCheck:
    """Renditions of files that are not being processed, against their objects."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def suspects(self) -> AsyncIterator[StoredRendition]:
        """Those of which something is not there, and those that nobody makes or plays any more."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await media.stored_renditions(tx, after, _PAGE)
                settled = await checking.settled(tx, [rendition.file_id for rendition in page])
                looked_at = [rendition for rendition in page if rendition.file_id in settled]
                sizes = await media.object_sizes(tx, looked_at)
            if not page:
                return
            after = page[-1].id
            for rendition in looked_at:
                if await self._fault_of(rendition, sizes[rendition.id], is_ready=settled[rendition.file_id]):
                    yield rendition

    async def confirm(self, suspect: StoredRendition) -> Finding | None:
        """See ``Check``."""
        async with self._database.reading() as tx:
            rendition = await media.find_rendition(tx, suspect.id)
            is_ready = (await checking.settled(tx, [suspect.file_id])).get(suspect.file_id)
            sizes = await media.object_sizes(tx, [suspect])
        if rendition is None or is_ready is None:
            return None
        fault = await self._fault_of(rendition, sizes[suspect.id], is_ready=is_ready)
        if fault is None:
            return None
        found = f"the rendition {suspect.name} of file {suspect.file_id} {fault}"
        return Finding("broken-rendition", Severity.ERROR, suspect.id, found, _AGAIN if is_ready else "drops it")

    async def repair(self, suspect: StoredRendition) -> str:
        """See ``Check``."""
        async with self._database.reading() as tx:
            sizes = await media.object_sizes(tx, [suspect])
        await delete_all(self._store, sizes[suspect.id])
        async with self._database.transaction() as tx:
            # The saga's row first, as those take the locks who make renditions.
            again = await processing.process_again(tx, suspect.file_id)
            await media.drop_rendition(tx, suspect.id)
            if not await media.with_segments(tx, [suspect.file_id]):
                await processing.clear_playable(tx, suspect.file_id)
        return "dropped, and will be made again" if again else "dropped"

    async def _fault_of(
        self, rendition: StoredRendition, sizes: Mapping[str, int | None], *, is_ready: bool
    ) -> str | None:
        if not is_ready:
            return "was left over when its processing failed"
        if not rendition.is_done:
            return "was never finished"
        faults = await asyncio.gather(*(self._fault_of_object(key, size) for key, size in sizes.items()))
        found = [fault for fault in faults if fault]
        return f"{found[0]}, as are {len(found) - 1} others" if len(found) > 1 else next(iter(found), None)

    async def _fault_of_object(self, key: str, size: int | None) -> str | None:
        async with self._turns:
            try:
                stored = await self._store.examine(key)
            except ObjectNotFoundError:
                return f"is not whole: {key} is not in the store"
            except DamagedObjectError as error:
                return f"is not whole: {key} is damaged: {error}"
        if size is not None and stored.size != size:
            return f"is not whole: {key} has {stored.size} bytes instead of {size}"
        return None


class PlayableCheck:
    """Ready files that are said to be playable and are not, and the other way round."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspects(self) -> AsyncIterator[str]:
        """Their ids."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await checking.playable_files(tx, after, _FILES)
                true = await media.with_segments(tx, page)
            for file_id in page:
                if file_id not in true:
                    yield file_id
            if not page:
                break
            after = page[-1]
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await media.files_played(tx, after, _FILES)
                said = await checking.said_to_be_playable(tx, page)
            for file_id, is_said in said.items():
                if not is_said:
                    yield file_id
            if not page:
                return
            after = page[-1]

    async def confirm(self, suspect: str) -> Finding | None:
        """See ``Check``."""
        async with self._database.reading() as tx:
            is_said, is_so = await self._look(tx, suspect)
        if is_said is None or is_said == is_so:
            return None
        found = "the file is said to be playable, and has nothing to be played"
        repair = "takes the mark away and has it processed again"
        if is_so:
            found, repair = "the file can be played, and is not said to be playable", "marks it as playable"
        return Finding("wrong-playable", Severity.ERROR, suspect, found, repair)

    async def repair(self, suspect: str) -> str:
        """See ``Check``."""
        async with self._database.transaction() as tx:
            _, is_so = await self._look(tx, suspect)
            if is_so:
                await processing.make_playable(tx, suspect)
                return "marked"
            again = await processing.process_again(tx, suspect)
            await processing.clear_playable(tx, suspect)
        return "no longer marked, and will be processed again" if again else "no longer marked"

    async def _look(self, tx: Transaction, file_id: str) -> tuple[bool | None, bool]:
        said = (await checking.said_to_be_playable(tx, [file_id])).get(file_id)
        return said, bool(await media.with_segments(tx, [file_id]))
