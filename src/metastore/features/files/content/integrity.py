"""Integrity of stored files: what the store checks read and update.

Pages are read in ascending order of ID: up to ``limit`` rows whose ID is greater than ``after`` (empty: from the
start).
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import func, select, update

from metastore.features.files.events import FileDamaged, FileRecovered
from metastore.features.files.models import FAILED, FILE, PROCESSING, READY, UPLOADING, Node
from metastore.kit.database.unit_of_work import Transaction


class StoredFile(NamedTuple):
    """A file that has an object; ``damage`` is what an earlier check found wrong with it."""

    id: str
    owner_id: str
    name: str
    size: int
    object_key: str
    etag: str | None
    checksum: str | None
    damage: str | None


_COLUMNS = (
    Node.id,
    Node.owner_id,
    Node.name,
    Node.size,
    Node.object_key,
    Node.object_etag,
    Node.checksum,
    Node.damage,
)
_STORED = (Node.kind == FILE, Node.object_key.is_not(None))


async def stored_files(tx: Transaction, after: str, limit: int) -> list[StoredFile]:
    """Return a page of the files that have an object."""
    statement = select(*_COLUMNS).where(Node.id > after, *_STORED).order_by(Node.id).limit(limit)
    return [StoredFile._make(row) for row in await tx.session.execute(statement)]


async def stored_files_of(tx: Transaction, ids: Sequence[str]) -> dict[str, StoredFile]:
    """Return those of the files that still exist and have an object, by ID."""
    statement = select(*_COLUMNS).where(Node.id.in_(ids), *_STORED)
    return {row[0]: StoredFile._make(row) for row in await tx.session.execute(statement)}


async def uploading_files(tx: Transaction, after: str, limit: int) -> list[str]:
    """Return a page of the IDs of files that are UPLOADING."""
    statement = select(Node.id).where(Node.id > after, Node.kind == FILE, Node.status == UPLOADING)
    return list(await tx.session.scalars(statement.order_by(Node.id).limit(limit)))


async def is_uploading(tx: Transaction, file_id: str) -> bool:
    """Return whether the file is UPLOADING."""
    return await tx.session.scalar(select(Node.status).where(Node.id == file_id)) == UPLOADING


async def referenced_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Return those of the object keys that a file refers to.

    These are the keys of originals and thumbnails, and everything derived from a file that is being processed.
    """
    # Derived objects are stored below the original's key, and only that column has an index.
    originals = {"/".join(key.split("/")[:2]) for key in keys}
    statement = select(Node.object_key, Node.thumbnail_key, Node.status).where(
        Node.object_key.in_(originals), Node.object_key.is_not(None)
    )
    rows = (await tx.session.execute(statement)).all()
    referenced = {key for row in rows for key in row[:2]}
    in_processing = {row[0] for row in rows if row[2] == PROCESSING}
    return {key for key in keys if key in referenced or "/".join(key.split("/")[:2]) in in_processing}


class DerivedObject(NamedTuple):
    """An object derived from a file, such as its thumbnail."""

    file_id: str
    key: str


async def derived_objects(tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
    """Return a page of derived objects, ordered by file ID."""
    statement = select(Node.id, Node.thumbnail_key).where(Node.id > after, Node.thumbnail_key.is_not(None))
    rows = await tx.session.execute(statement.order_by(Node.id).limit(limit))
    return [DerivedObject(file_id, key) for file_id, key in rows if key is not None]


async def references_derived(tx: Transaction, derived: DerivedObject) -> bool:
    """Return whether the file still refers to the derived object."""
    return await tx.session.scalar(select(Node.thumbnail_key).where(Node.id == derived.file_id)) == derived.key


async def clear_derived(tx: Transaction, derived: DerivedObject) -> None:
    """Clear the file's reference to the derived object."""
    await tx.session.execute(
        update(Node)
        .where(Node.id == derived.file_id, Node.thumbnail_key == derived.key)
        .values(thumbnail_key=None, version=Node.version + 1)
        .execution_options(synchronize_session=False)
    )


async def processing_outcomes(tx: Transaction, ids: Collection[str]) -> dict[str, bool]:
    """Return, by ID, whether processing succeeded; leave out damaged files and those that are not READY or FAILED."""
    statement = select(Node.id, Node.status).where(
        Node.id.in_(ids), Node.status.in_((READY, FAILED)), Node.damage.is_(None)
    )
    return {file_id: status == READY for file_id, status in await tx.session.execute(statement)}


async def ready_files(tx: Transaction, after: str, limit: int) -> dict[str, str]:
    """Return a page of the media types, by file ID, of undamaged files that are READY."""
    statement = select(Node.id, Node.mime_type).where(
        Node.id > after, Node.status == READY, Node.damage.is_(None), *_STORED
    )
    rows = await tx.session.execute(statement.order_by(Node.id).limit(limit))
    return {file_id: mime_type for file_id, mime_type in rows}  # noqa: C416  rows are no pairs to ``dict``


async def playable_files(tx: Transaction, after: str, limit: int) -> list[str]:
    """Return a page of the IDs of files that are READY and marked as playable."""
    statement = select(Node.id).where(Node.id > after, Node.playable_at.is_not(None), Node.status == READY)
    return list(await tx.session.scalars(statement.order_by(Node.id).limit(limit)))


async def playable_flags(tx: Transaction, ids: Collection[str]) -> dict[str, bool]:
    """Return, by ID, whether each file that is READY is marked as playable."""
    statement = select(Node.id, Node.playable_at).where(Node.id.in_(ids), Node.status == READY)
    return {file_id: playable_at is not None for file_id, playable_at in await tx.session.execute(statement)}


async def count_damaged(tx: Transaction) -> int:
    """Return the number of files marked as damaged."""
    return await tx.session.scalar(select(func.count()).where(Node.damage.is_not(None))) or 0


async def stored_bytes(tx: Transaction) -> int:
    """Return the total size of all stored files in bytes."""
    return int(await tx.session.scalar(select(func.sum(Node.size)).where(*_STORED)) or 0)


async def mark_damaged(tx: Transaction, file: StoredFile, reason: str) -> bool:
    """Mark the file as damaged, which stops downloads, and record the event.

    Return ``False`` if it no longer exists or was already marked with that reason.
    """
    if not await _set_damage(tx, file, reason):
        return False
    tx.record(FileDamaged(file_id=file.id, owner_id=file.owner_id, name=file.name, reason=reason))
    return True


async def mark_recovered(tx: Transaction, file: StoredFile) -> bool:
    """Clear the file's damage and record the event.

    Return ``False`` if it no longer exists or was not marked.
    """
    if not await _set_damage(tx, file, None):
        return False
    tx.record(FileRecovered(file_id=file.id, owner_id=file.owner_id, name=file.name))
    return True


async def _set_damage(tx: Transaction, file: StoredFile, damage: str | None) -> bool:
    statement = (
        update(Node)
        .where(Node.id == file.id, Node.object_key == file.object_key, Node.damage.is_distinct_from(damage))
        .values(damage=damage, version=Node.version + 1)
        .returning(Node.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None
