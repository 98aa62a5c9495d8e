"""The step ``thumbnail``: what stands for a file on the screen.

Of all that can be seen there is a small picture and a larger one, of a film also one with its frames in small, and of
sound alone how loud it is. Each attempt puts its pictures below a prefix of its own, which is noted before there is
anything below it: what an attempt that was cut off left there is found, and no two attempts are in each other's way.
What there is already, from an earlier processing, is kept.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from metastore.features.files import processing
from metastore.features.files.processing import Original
from metastore.features.files.thumbnails import CONTENT_TYPE
from metastore.features.media import repository
from metastore.features.media.facts import facts_of
from metastore.features.media.freeing import free
from metastore.features.media.models import Media, picture_keys, preview_key, sprite_key, thumbnail_key
from metastore.features.media.originals import delete_all, gone, original_of, source_of
from metastore.features.media.storing import put
from metastore.kit import saga_claims
from metastore.kit.database import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Effect, Outcome, Report, StepFailedError
from metastore.ports.media_tools import MediaFacts, MediaRefusedError, MediaTools, NothingToSeeError, Source, Sprite
from metastore.ports.object_store import ObjectStore

SMALL, LARGE = 256, 1024
WAVEFORM_POINTS = 800


@dataclass(slots=True)
class _Missing:
    """What is to be made."""

    small: bool = False
    large: bool = False
    sprite: bool = False
    waveform: bool = False

    @property
    def anything(self) -> bool:
        return self.small or self.large or self.sprite or self.waveform


@dataclass(slots=True)
class _Made:
    """What was made, as columns of the file's media."""

    thumbnail_key: str | None = None
    values: dict[str, object] = field(default_factory=dict)


class Picturing:
    """Makes pictures of files."""

    def __init__(self, database: Database, store: ObjectStore, tools: MediaTools) -> None:
        self._database = database
        self._store = store
        self._tools = tools
        self._at_work: dict[str, str] = {}
        """The prefix that a saga's pictures are put below, while they are made and until a lost saga is cleaned up."""

    async def picture(self, saga: Saga, report: Report) -> Outcome:
        """Make what is missing, and store it.

        Raises:
            StepFailedError: the film or picture is damaged, or the file is gone.
        """
        original = await original_of(self._database, saga)
        async with self._database.reading() as tx:
            media = await repository.find(tx, saga.subject)
        missing = self._missing(original, media)
        if media is None or not missing.anything:
            return None
        prefix = await self._new_prefix(saga, report, original, media)
        try:
            made = await self._make(source_of(self._store, original), missing, prefix, report)
        except MediaRefusedError as refusal:
            raise StepFailedError(refusal.code, final=True) from refusal

        async def effect(tx: Transaction) -> None:
            self._at_work.pop(saga.id, None)
            if made.thumbnail_key and not await processing.set_thumbnail(tx, original, made.thumbnail_key):
                raise gone()
            if made.values and not await repository.change(tx, original.file_id, **made.values):
                raise gone()

        return effect

    async def drop(self, saga: Saga) -> Effect | None:
        """Take ``picture`` back; of a saga that was lost only what this worker made, and nobody shows."""
        written = self._at_work.pop(saga.id, None)
        async with self._database.reading() as tx:
            media = await repository.find(tx, saga.subject)
            small = await processing.thumbnail_of(tx, saga.subject)
            # Asked last: what was read before is then of this attempt, or of earlier ones.
            is_held = await saga_claims.is_held(tx, saga)
        shown = {key for key in (small, media and media.preview_key, media and media.sprite_key) if key}
        prefixes = {written, media.pictures_prefix if media and is_held else None}
        keys = {key for prefix in prefixes if prefix for key in picture_keys(prefix)}
        later = await free(self._store, saga.subject, keys=keys | shown if is_held else keys - shown)
        if not is_held:
            if later is not None:
                async with self._database.transaction() as tx:
                    tx.record(later)
            return None

        async def effect(tx: Transaction) -> None:
            if later is not None:
                tx.record(later)
            await processing.clear_thumbnail(tx, saga.subject)
            nothing = dict.fromkeys(("pictures_prefix", "preview_key", "sprite_key", "sprite", "waveform"))
            await repository.change(tx, saga.subject, **nothing)

        return effect

    def _missing(self, original: Original, media: Media | None) -> _Missing:
        facts = facts_of(media) if media else None
        if media is None or facts is None:
            return _Missing(small=media is not None and media.width is not None and original.thumbnail_key is None)
        seen = self._tools.can_show(original.mime_type) if not _is_sound(facts) else facts.has_cover
        return _Missing(
            small=seen and original.thumbnail_key is None,
            large=seen and media.preview_key is None,
            sprite=_is_film(facts) and media.sprite_key is None,
            waveform=_is_sound(facts) and media.waveform is None,
        )

    async def _new_prefix(self, saga: Saga, report: Report, original: Original, media: Media) -> str:
        """A prefix for this attempt's pictures; what an attempt that was cut off left below its own is deleted."""
        if media.pictures_prefix is not None:
            shown = {original.thumbnail_key, media.preview_key, media.sprite_key}
            await delete_all(self._store, [key for key in picture_keys(media.pictures_prefix) if key not in shown])
        prefix = f"{original.object_key}/{new_id()}"
        async with report.transaction() as tx:
            if not await repository.change(tx, original.file_id, pictures_prefix=prefix):
                raise gone()
        self._at_work[saga.id] = prefix
        return prefix

    async def _make(self, source: Source, missing: _Missing, prefix: str, report: Report) -> _Made:
        made = _Made()
        if missing.small or missing.large:
            await self._make_pictures(source, missing, prefix, made)
            await report(30)
        if missing.sprite and (sprite := await self._sprite(source)):
            key = sprite_key(prefix)
            await put(self._store, key, sprite.data, CONTENT_TYPE)
            made.values |= {"sprite_key": key, "sprite": _layout(sprite)}
            await report(80)
        if missing.waveform:
            with suppress(MediaRefusedError):
                made.values["waveform"] = await self._tools.waveform(source, points=WAVEFORM_POINTS)
        return made

    async def _make_pictures(self, source: Source, missing: _Missing, prefix: str, made: _Made) -> None:
        try:
            small, large = await self._tools.thumbnails(source, sizes=(SMALL, LARGE))
        except NothingToSeeError:
            return
        except MediaRefusedError:
            if missing.waveform:
                # A broken cover does the sound no harm.
                return
            raise
        if missing.small:
            made.thumbnail_key = thumbnail_key(prefix)
            await put(self._store, made.thumbnail_key, small, CONTENT_TYPE)
        if missing.large:
            made.values["preview_key"] = preview_key(prefix)
            await put(self._store, preview_key(prefix), large, CONTENT_TYPE)

    async def _sprite(self, source: Source) -> Sprite | None:
        """A nicety that is gone without when there is none."""
        try:
            return await self._tools.sprite(source)
        except MediaRefusedError:
            return None


def _is_film(facts: MediaFacts) -> bool:
    return facts.video_codec is not None and facts.width is not None


def _is_sound(facts: MediaFacts) -> bool:
    return facts.width is None and bool(facts.audio_tracks)


def _layout(sprite: Sprite) -> dict[str, object]:
    return {
        "columns": sprite.columns,
        "count": sprite.count,
        "tileWidth": sprite.tile_width,
        "tileHeight": sprite.tile_height,
        "intervalMs": sprite.interval_ms,
    }
