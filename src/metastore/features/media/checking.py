"""What a check of the store, and a move to another, ask of the media feature, and what they tell it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, select, tuple_, update

from metastore.features.files.checking import DerivedObject
from metastore.features.media import repository
from metastore.features.media.models import (
    DONE,
    Media,
    MediaSegment,
    Rendition,
    init_key,
    picture_keys,
    segment_key,
)
from metastore.features.media.storing import keys_of
from metastore.kit.database import Transaction

_HLS = "/hls/"
_DIGITS = 10


class StoredRendition(NamedTuple):
    """A rendition whose objects should be in the store."""

    id: str
    file_id: str
    name: str
    key_prefix: str
    is_done: bool


_COLUMNS = (Rendition.id, Rendition.file_id, Rendition.name, Rendition.key_prefix, Rendition.state == DONE)


async def stored_renditions(tx: Transaction, after: str, limit: int) -> list[StoredRendition]:
    """Up to ``limit`` renditions, by ascending id from the one behind ``after`` (empty: from the first)."""
    statement = select(*_COLUMNS).where(Rendition.id > after).order_by(Rendition.id).limit(limit)
    return [StoredRendition._make(row) for row in await tx.session.execute(statement)]


async def object_sizes(tx: Transaction, renditions: Collection[StoredRendition]) -> dict[str, dict[str, int | None]]:
    """The keys of these renditions' objects with their sizes, as far as they are noted, by rendition's id."""
    sizes: dict[str, dict[str, int | None]] = {one.id: {init_key(one.key_prefix): None} for one in renditions}
    prefixes = {one.id: one.key_prefix for one in renditions}
    statement = select(MediaSegment.rendition_id, MediaSegment.number, MediaSegment.size)
    for rendition_id, number, size in await tx.session.execute(
        statement.where(MediaSegment.rendition_id.in_(prefixes))
    ):
        sizes[rendition_id][segment_key(prefixes[rendition_id], number)] = size
    return sizes


async def find_rendition(tx: Transaction, rendition_id: str) -> StoredRendition | None:
    """The rendition as it is now."""
    row = (await tx.session.execute(select(*_COLUMNS).where(Rendition.id == rendition_id))).first()
    return StoredRendition._make(row) if row else None


async def drop_rendition(tx: Transaction, rendition_id: str) -> None:
    """Delete its rows."""
    await repository.drop(tx, [rendition_id])


async def named_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Which of these object keys are those of something that was made of a file."""
    segments = [key for key in keys if _HLS in key]
    return await _named_segments(tx, segments) | await _named_pictures(tx, [key for key in keys if _HLS not in key])


async def _named_segments(tx: Transaction, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    places = {key: _place(key) for key in keys}
    statement = select(Rendition.id, Rendition.key_prefix).where(
        Rendition.id.in_({place[0] for place in places.values()})
    )
    prefixes = {row[0]: row[1] for row in await tx.session.execute(statement)}
    wanted = [place for place in places.values() if place[1] is not None]
    found = await tx.session.execute(
        select(MediaSegment.rendition_id, MediaSegment.number).where(
            tuple_(MediaSegment.rendition_id, MediaSegment.number).in_(wanted)
        )
    )
    named = {segment_key(prefixes[rendition_id], number) for rendition_id, number in found if rendition_id in prefixes}
    return (named | {init_key(prefix) for prefix in prefixes.values()}) & {*keys}


def _place(key: str) -> tuple[str, int | None]:
    """The rendition's id and the segment's number that a key tells of."""
    rendition_id, _, name = key.partition(_HLS)[2].partition("/")
    stem = name.removesuffix(".m4s")
    return rendition_id, int(stem) if stem.isdecimal() and len(stem) < _DIGITS else None


async def _named_pictures(tx: Transaction, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    prefixes = {key.rpartition("/")[0] for key in keys}
    statement = select(Media.preview_key, Media.sprite_key).where(Media.pictures_prefix.in_(prefixes))
    return {key for row in await tx.session.execute(statement) for key in row if key}


async def derived_objects(tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
    """The larger pictures and sprites of up to ``limit`` files, by ascending id from the one behind ``after``."""
    statement = select(Media.file_id, Media.preview_key, Media.sprite_key).where(Media.file_id > after, _has_pictures())
    rows = await tx.session.execute(statement.order_by(Media.file_id).limit(limit))
    return [DerivedObject(row[0], key) for row in rows for key in row[1:] if key]


async def names_derived(tx: Transaction, derived: DerivedObject) -> bool:
    """Whether it still is what was made of the file."""
    row = (
        await tx.session.execute(select(Media.preview_key, Media.sprite_key).where(Media.file_id == derived.file_id))
    ).first()
    return row is not None and derived.key in row


async def forget_derived(tx: Transaction, derived: DerivedObject) -> None:
    """Let the file go without it."""
    for column in (Media.preview_key, Media.sprite_key):
        statement = update(Media).where(Media.file_id == derived.file_id, column == derived.key)
        await tx.session.execute(statement.values({column: None}).execution_options(synchronize_session=False))


async def keys_of_file(tx: Transaction, file_id: str) -> list[str]:
    """Every key under which there may be something that was made of the file, but for its small picture."""
    media = await repository.find(tx, file_id)
    renditions = await repository.renditions_of(tx, file_id)
    extents = await repository.extents_of(tx, [rendition.id for rendition in renditions])
    keys = [key for rendition in renditions for key in keys_of(rendition.key_prefix, extents[rendition.id].count)]
    if media is not None:
        keys += picture_keys(media.pictures_prefix) if media.pictures_prefix else []
        keys += [key for key in (media.preview_key, media.sprite_key) if key]
    return list(dict.fromkeys(keys))


async def files_played(tx: Transaction, after: str, limit: int) -> list[str]:
    """Ids of up to ``limit`` files that have a whole rendition with something in it, ascending, behind ``after``."""
    statement = (
        select(Rendition.file_id)
        .where(Rendition.file_id > after, Rendition.state == DONE, _has_segments())
        .distinct()
        .order_by(Rendition.file_id)
        .limit(limit)
    )
    return list(await tx.session.scalars(statement))


async def with_segments(tx: Transaction, file_ids: Collection[str]) -> set[str]:
    """Those of the files that have any segment."""
    statement = select(Rendition.file_id).where(Rendition.file_id.in_(file_ids), _has_segments())
    return set(await tx.session.scalars(statement.distinct()))


async def fully_known(tx: Transaction, file_ids: Collection[str]) -> set[str]:
    """Those of the files of which all is known that a probe finds today."""
    statement = select(Media.file_id).where(Media.file_id.in_(file_ids), Media.facts.is_not(None))
    return set(await tx.session.scalars(statement))


async def stored_bytes(tx: Transaction) -> int:
    """How many bytes all segments have together."""
    return int(await tx.session.scalar(select(func.sum(MediaSegment.size))) or 0)


def _has_segments() -> ColumnElement[bool]:
    return exists().where(MediaSegment.rendition_id == Rendition.id)


def _has_pictures() -> ColumnElement[bool]:
    return Media.preview_key.is_not(None) | Media.sprite_key.is_not(None)
