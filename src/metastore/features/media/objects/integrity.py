"""Derived objects as ``fsck`` and a move to another store see them: list, look up, forget."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, select, tuple_, update

from metastore.features.files.content.integrity import DerivedObject
from metastore.features.media import repository
from metastore.features.media.models import DONE, Media, MediaSegment, Rendition
from metastore.features.media.objects.keys import init_key, rendition_keys, segment_key, thumbnail_keys
from metastore.kit.database.unit_of_work import Transaction

_HLS = "/hls/"
_MAX_DIGITS = 10


class StoredRendition(NamedTuple):
    """A rendition, as far as its objects are concerned."""

    id: str
    file_id: str
    name: str
    key_prefix: str
    is_done: bool


_COLUMNS = (Rendition.id, Rendition.file_id, Rendition.name, Rendition.key_prefix, Rendition.state == DONE)


async def stored_renditions(tx: Transaction, after: str, limit: int) -> list[StoredRendition]:
    """Return up to ``limit`` renditions with an ID greater than ``after``, by ascending ID; start with ``""``."""
    statement = select(*_COLUMNS).where(Rendition.id > after).order_by(Rendition.id).limit(limit)
    return [StoredRendition._make(row) for row in await tx.session.execute(statement)]


async def object_sizes(tx: Transaction, renditions: Collection[StoredRendition]) -> dict[str, dict[str, int | None]]:
    """Return the object keys of renditions and the expected sizes, by rendition ID; ``None`` if a size is unknown."""
    sizes: dict[str, dict[str, int | None]] = {one.id: {init_key(one.key_prefix): None} for one in renditions}
    prefixes = {one.id: one.key_prefix for one in renditions}
    statement = select(MediaSegment.rendition_id, MediaSegment.number, MediaSegment.size)
    for rendition_id, number, size in await tx.session.execute(
        statement.where(MediaSegment.rendition_id.in_(prefixes))
    ):
        sizes[rendition_id][segment_key(prefixes[rendition_id], number)] = size
    return sizes


async def find_rendition(tx: Transaction, rendition_id: str) -> StoredRendition | None:
    """Return a rendition; ``None`` if there is none any more."""
    row = (await tx.session.execute(select(*_COLUMNS).where(Rendition.id == rendition_id))).first()
    return StoredRendition._make(row) if row else None


async def delete_rendition(tx: Transaction, rendition_id: str) -> None:
    """Delete the rows of a rendition."""
    await repository.delete_renditions(tx, [rendition_id])


async def referenced_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Return those of ``keys`` that belong to a derived object some row refers to."""
    segments, images = [key for key in keys if _HLS in key], [key for key in keys if _HLS not in key]
    return await _referenced_segments(tx, segments) | await _referenced_images(tx, images)


async def _referenced_segments(tx: Transaction, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    parsed = [_parse_key(key) for key in keys]
    statement = select(Rendition.id, Rendition.key_prefix).where(
        Rendition.id.in_({rendition_id for rendition_id, _ in parsed})
    )
    prefixes = {row[0]: row[1] for row in await tx.session.execute(statement)}
    numbered = [(rendition_id, number) for rendition_id, number in parsed if number is not None]
    found = await tx.session.execute(
        select(MediaSegment.rendition_id, MediaSegment.number).where(
            tuple_(MediaSegment.rendition_id, MediaSegment.number).in_(numbered)
        )
    )
    known = {segment_key(prefixes[rendition_id], number) for rendition_id, number in found if rendition_id in prefixes}
    return (known | {init_key(prefix) for prefix in prefixes.values()}) & {*keys}


def _parse_key(key: str) -> tuple[str, int | None]:
    """Return the rendition ID and the segment number in a key; the number is ``None`` for an init segment."""
    rendition_id, _, name = key.partition(_HLS)[2].partition("/")
    stem = name.removesuffix(".m4s")
    return rendition_id, int(stem) if stem.isdecimal() and len(stem) < _MAX_DIGITS else None


async def _referenced_images(tx: Transaction, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    prefixes = {key.rpartition("/")[0] for key in keys}
    statement = select(Media.preview_key, Media.sprite_key).where(Media.thumbnails_prefix.in_(prefixes))
    return {key for row in await tx.session.execute(statement) for key in row if key}


async def derived_objects(tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
    """Return the preview images and sprites of up to ``limit`` files with an ID greater than ``after``, ascending."""
    statement = select(Media.file_id, Media.preview_key, Media.sprite_key).where(Media.file_id > after, _has_images())
    rows = await tx.session.execute(statement.order_by(Media.file_id).limit(limit))
    return [DerivedObject(row[0], key) for row in rows for key in row[1:] if key]


async def references_derived(tx: Transaction, derived: DerivedObject) -> bool:
    """Return whether the file's row still refers to the object."""
    row = (
        await tx.session.execute(select(Media.preview_key, Media.sprite_key).where(Media.file_id == derived.file_id))
    ).first()
    return row is not None and derived.key in row


async def clear_derived(tx: Transaction, derived: DerivedObject) -> None:
    """Remove the reference to the object from the file's row."""
    for column in (Media.preview_key, Media.sprite_key):
        statement = update(Media).where(Media.file_id == derived.file_id, column == derived.key)
        await tx.session.execute(statement.values({column: None}).execution_options(synchronize_session=False))


async def derived_keys(tx: Transaction, file_id: str) -> list[str]:
    """Return every key that a derived object of the file may be stored under, except the thumbnail's."""
    media = await repository.find(tx, file_id)
    renditions = await repository.renditions_of(tx, file_id)
    extents = await repository.extents_of(tx, [rendition.id for rendition in renditions])
    keys = [
        key for rendition in renditions for key in rendition_keys(rendition.key_prefix, extents[rendition.id].count)
    ]
    if media is not None:
        keys += thumbnail_keys(media.thumbnails_prefix) if media.thumbnails_prefix else []
        keys += [key for key in (media.preview_key, media.sprite_key) if key]
    return list(dict.fromkeys(keys))


async def files_with_finished_renditions(tx: Transaction, after: str, limit: int) -> list[str]:
    """Return up to ``limit`` IDs, greater than ``after``, of files with a finished rendition that has segments."""
    statement = (
        select(Rendition.file_id)
        .where(Rendition.file_id > after, Rendition.state == DONE, _has_segments())
        .distinct()
        .order_by(Rendition.file_id)
        .limit(limit)
    )
    return list(await tx.session.scalars(statement))


async def files_with_segments(tx: Transaction, file_ids: Collection[str]) -> set[str]:
    """Return those of the files that have at least one segment."""
    statement = select(Rendition.file_id).where(Rendition.file_id.in_(file_ids), _has_segments())
    return set(await tx.session.scalars(statement.distinct()))


async def files_with_probe_result(tx: Transaction, file_ids: Collection[str]) -> set[str]:
    """Return those of the files with a complete probe result, as the current version stores it."""
    statement = select(Media.file_id).where(Media.file_id.in_(file_ids), Media.probe_result.is_not(None))
    return set(await tx.session.scalars(statement))


async def stored_bytes(tx: Transaction) -> int:
    """Return the total size of all segments in bytes."""
    return int(await tx.session.scalar(select(func.sum(MediaSegment.size))) or 0)


def _has_segments() -> ColumnElement[bool]:
    return exists().where(MediaSegment.rendition_id == Rendition.id)


def _has_images() -> ColumnElement[bool]:
    return Media.preview_key.is_not(None) | Media.sprite_key.is_not(None)
