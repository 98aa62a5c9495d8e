"""The steps of processing a film or picture. ``processes.ingest`` binds them into the saga of the file's arrival.

Each may run again, and beside itself: what it makes lies under a key that follows from the file's own, and what it
writes is the same each time.
"""

from collections.abc import AsyncIterator

from metastore.features.files import processing
from metastore.features.files.content_type import is_named_media
from metastore.features.files.processing import Original
from metastore.features.files.thumbnails import CONTENT_TYPE
from metastore.features.media import repository
from metastore.features.media.models import Media
from metastore.kit.database import Database, Transaction
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Effect, Outcome, Report, StepFailedError
from metastore.ports.media_tools import MediaRefusedError, MediaTools, Source
from metastore.ports.object_store import ObjectStore

THUMBNAIL_PIXELS = 256


class MediaService:
    """What the saga calls."""

    def __init__(self, database: Database, store: ObjectStore, tools: MediaTools) -> None:
        self._database = database
        self._store = store
        self._tools = tools

    async def probe(self, saga: Saga, report: Report) -> Outcome:
        """Find out what is in the file.

        Nothing is noted of what only began like a film or picture, and is not called one either.

        Raises:
            StepFailedError: it is damaged.
        """
        original = await self._original(saga)
        try:
            facts = await self._tools.probe(self._source(original))
        except MediaRefusedError as refusal:
            if not is_named_media(original.name):
                return None
            raise StepFailedError(str(refusal), final=True) from refusal

        async def effect(tx: Transaction) -> None:
            media = Media(
                file_id=original.file_id,
                container=facts.container,
                width=facts.width,
                height=facts.height,
                duration_ms=facts.duration_ms,
                video_codec=facts.video_codec,
                audio_codec=facts.audio_codec,
            )
            await repository.save(tx, media)

        return effect

    async def forget_probe(self, saga: Saga) -> Effect:
        """Take ``probe`` back."""

        async def effect(tx: Transaction) -> None:
            await repository.forget(tx, saga.subject)

        return effect

    async def thumbnail(self, saga: Saga, report: Report) -> Outcome:
        """Make the small picture and store it; of sound alone there is none.

        Raises:
            StepFailedError: there is nothing to be seen, or the file is gone.
        """
        original = await self._original(saga)
        async with self._database.reading() as tx:
            if not await repository.shows_something(tx, original.file_id):
                return None
        try:
            picture = await self._tools.thumbnail(self._source(original), size=THUMBNAIL_PIXELS)
        except MediaRefusedError as refusal:
            raise StepFailedError(str(refusal), final=True) from refusal
        await report(80)
        key = thumbnail_key(original.object_key)
        await self._store.put(key, _once(picture), size=len(picture), content_type=CONTENT_TYPE)

        async def effect(tx: Transaction) -> None:
            if not await processing.set_thumbnail(tx, original, key):
                raise _gone()

        return effect

    async def drop_thumbnail(self, saga: Saga) -> Effect | None:
        """Take ``thumbnail`` back."""
        object_key = f"files/{saga.data.get('uploadId', saga.id)}"
        await self._store.delete([thumbnail_key(object_key)])

        async def effect(tx: Transaction) -> None:
            await processing.clear_thumbnail(tx, saga.subject)

        return effect

    async def _original(self, saga: Saga) -> Original:
        async with self._database.reading() as tx:
            original = await processing.original_of(tx, saga.subject)
        if original is None:
            raise _gone()
        return original

    def _source(self, original: Original) -> Source:
        def read(offset: int, length: int) -> AsyncIterator[bytes]:
            return self._store.read(original.object_key, offset=offset, length=length)

        return Source(read, original.size, original.mime_type)


def thumbnail_key(object_key: str) -> str:
    """Where the small picture of an object lies."""
    return f"{object_key}/thumbnail.webp"


def _gone() -> StepFailedError:
    return StepFailedError("The file was deleted.", final=True)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
