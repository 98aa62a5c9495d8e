"""The saga step ``thumbnail``: create the images that represent a file.

A file that can be shown gets a thumbnail and a larger preview image, a video also a sprite, and an audio file a
waveform. Each attempt stores its images below a prefix of its own, which is saved first: images of an interrupted
attempt can be found that way, and no two attempts interfere. Images from earlier processing are kept.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from metastore.features.files.content import processing
from metastore.features.files.content.processing import Original
from metastore.features.files.delivery import PICTURE_TYPE
from metastore.features.media import repository
from metastore.features.media.models import Media
from metastore.features.media.objects.cleanup import try_to_delete
from metastore.features.media.objects.keys import preview_key, sprite_key, thumbnail_key, thumbnail_keys
from metastore.features.media.objects.source_file import file_deleted, find_source_file, open_source
from metastore.features.media.objects.storage import delete_objects, put_object
from metastore.features.media.thumbnails.plan import MissingImages, missing_images
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga import claims
from metastore.kit.saga.definition import Effect, Outcome, Report, StepFailedError
from metastore.kit.saga.models import Saga
from metastore.ports.media_tools import MediaRefusedError, MediaTools, NoPictureError, Source, Sprite
from metastore.ports.object_store import ObjectStore

_THUMBNAIL_SIZE, _PREVIEW_SIZE = 256, 1024
_WAVEFORM_POINTS = 800


@dataclass(slots=True)
class _Images:
    """What was created: the thumbnail's key, and columns of the file's media row."""

    thumbnail_key: str | None = None
    columns: dict[str, object] = field(default_factory=dict)


class ThumbnailStep:
    """Creates thumbnails, preview images, sprites and waveforms."""

    def __init__(self, database: Database, store: ObjectStore, tools: MediaTools) -> None:
        self._database = database
        self._store = store
        self._tools = tools
        self._prefixes: dict[str, str] = {}
        """The prefix of the running attempt, by saga ID. Kept after a lost lease, for the compensation."""

    async def make(self, saga: Saga, report: Report) -> Outcome:
        """Create and store the missing images.

        Raises:
            StepFailedError: the file is damaged or was deleted.
        """
        original = await find_source_file(self._database, saga)
        async with self._database.reading() as tx:
            media = await repository.find(tx, saga.subject)
        missing = missing_images(original, media, self._tools.can_preview)
        if media is None or missing.is_empty:
            return None
        prefix = await self._new_prefix(saga, report, original, media)
        try:
            images = await self._create(open_source(self._store, original), missing, prefix, report)
        except MediaRefusedError as refusal:
            raise StepFailedError(refusal.code, final=True) from refusal

        async def effect(tx: Transaction) -> None:
            self._prefixes.pop(saga.id, None)
            if images.thumbnail_key and not await processing.set_thumbnail(tx, original, images.thumbnail_key):
                raise file_deleted()
            if images.columns and not await repository.update_media(tx, original.file_id, **images.columns):
                raise file_deleted()

        return effect

    async def compensate(self, saga: Saga) -> Effect | None:
        """Compensate: delete all images.

        If the saga's claim was lost, delete only the images that this worker stored and no row refers to.
        """
        written = self._prefixes.pop(saga.id, None)
        async with self._database.reading() as tx:
            media = await repository.find(tx, saga.subject)
            thumbnail = await processing.thumbnail_of(tx, saga.subject)
            # Checked last: if the claim is held now, everything read before belongs to this attempt or earlier ones.
            is_held = await claims.is_held(tx, saga)
        in_use = {key for key in (thumbnail, media and media.preview_key, media and media.sprite_key) if key}
        prefixes = {written, media.thumbnails_prefix if media and is_held else None}
        keys = {key for prefix in prefixes if prefix for key in thumbnail_keys(prefix)}
        obsolete = keys | in_use if is_held else keys - in_use
        deferred = await try_to_delete(self._store, saga.subject, keys=obsolete)
        if not is_held:
            if deferred is not None:
                async with self._database.transaction() as tx:
                    tx.record(deferred)
            return None

        async def effect(tx: Transaction) -> None:
            if deferred is not None:
                tx.record(deferred)
            await processing.clear_thumbnail(tx, saga.subject)
            cleared = dict.fromkeys(("thumbnails_prefix", "preview_key", "sprite_key", "sprite", "waveform"))
            await repository.update_media(tx, saga.subject, **cleared)

        return effect

    async def _new_prefix(self, saga: Saga, report: Report, original: Original, media: Media) -> str:
        """Return a new prefix for this attempt, after deleting what an interrupted attempt left below its own."""
        if media.thumbnails_prefix is not None:
            in_use = {original.thumbnail_key, media.preview_key, media.sprite_key}
            await delete_objects(
                self._store, [key for key in thumbnail_keys(media.thumbnails_prefix) if key not in in_use]
            )
        prefix = f"{original.object_key}/{new_id()}"
        async with report.transaction() as tx:
            if not await repository.update_media(tx, original.file_id, thumbnails_prefix=prefix):
                raise file_deleted()
        self._prefixes[saga.id] = prefix
        return prefix

    async def _create(self, source: Source, missing: MissingImages, prefix: str, report: Report) -> _Images:
        images = _Images()
        if missing.thumbnail or missing.preview:
            await self._create_thumbnails(source, missing, prefix, images)
        if missing.sprite:
            await report(30)
            if sprite := await self._sprite(source):
                key = sprite_key(prefix)
                await put_object(self._store, key, sprite.data, PICTURE_TYPE)
                images.columns |= {"sprite_key": key, "sprite": _layout(sprite)}
                await report(80)
        if missing.waveform:
            with suppress(MediaRefusedError):
                images.columns["waveform"] = await self._tools.waveform(source, points=_WAVEFORM_POINTS)
        return images

    async def _create_thumbnails(self, source: Source, missing: MissingImages, prefix: str, images: _Images) -> None:
        try:
            thumbnail, preview = await self._tools.thumbnails(source, sizes=(_THUMBNAIL_SIZE, _PREVIEW_SIZE))
        except NoPictureError:
            return
        except MediaRefusedError:
            if missing.waveform:
                # An audio file with a broken cover can still be played.
                return
            raise
        made: dict[str, bytes] = {}
        if missing.thumbnail:
            images.thumbnail_key = thumbnail_key(prefix)
            made[images.thumbnail_key] = thumbnail
        if missing.preview:
            images.columns["preview_key"] = preview_key(prefix)
            made[preview_key(prefix)] = preview
        await self._store_images(made)

    async def _store_images(self, images: Mapping[str, bytes]) -> None:
        """Store images by key at the same time. If one fails, cancel the others and raise its error."""
        puts = [put_object(self._store, key, data, PICTURE_TYPE) for key, data in images.items()]
        try:
            async with asyncio.TaskGroup() as tasks:
                for put in puts:
                    tasks.create_task(put)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _sprite(self, source: Source) -> Sprite | None:
        """Return the sprite; it is optional, so a refusal is no failure."""
        try:
            return await self._tools.sprite(source)
        except MediaRefusedError:
            return None


def _layout(sprite: Sprite) -> dict[str, object]:
    return {
        "columns": sprite.columns,
        "count": sprite.count,
        "tileWidth": sprite.tile_width,
        "tileHeight": sprite.tile_height,
        "intervalMs": sprite.interval_ms,
    }
