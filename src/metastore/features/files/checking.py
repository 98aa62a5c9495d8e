"""What a check of the store asks of the files feature, and what it tells it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import func, select, update

from metastore.features.files.events import FileDamaged, FileRecovered
from metastore.features.files.models import FAILED, FILE, PROCESSING, READY, UPLOADING, Node
from metastore.kit.database import Transaction


class StoredFile(NamedTuple):
    """A file whose bytes should be in the store; ``damage`` is what an earlier check found wrong."""

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
    """Up to ``limit`` files with bytes, by ascending id from the one behind ``after`` (empty: from the first)."""
    statement = select(*_COLUMNS).where(Node.id > after, *_STORED).order_by(Node.id).limit(limit)
    return [StoredFile._make(row) for row in await tx.session.execute(statement)]


async def stored_files_of(tx: Transaction, ids: Sequence[str]) -> dict[str, StoredFile]:
    """Those of the files that still are and have bytes, by id."""
    statement = select(*_COLUMNS).where(Node.id.in_(ids), *_STORED)
    return {row[0]: StoredFile._make(row) for row in await tx.session.execute(statement)}


async def arriving_files(tx: Transaction, after: str, limit: int) -> list[str]:
    """Ids of up to ``limit`` files whose bytes are still to come, ascending from the one behind ``after``."""
    statement = select(Node.id).where(Node.id > after, Node.kind == FILE, Node.status == UPLOADING)
    return list(await tx.session.scalars(statement.order_by(Node.id).limit(limit)))


async def is_arriving(tx: Transaction, file_id: str) -> bool:
    """Whether the file's bytes are still to come."""
    return await tx.session.scalar(select(Node.status).where(Node.id == file_id)) == UPLOADING


async def named_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Which of these object keys belong to a file: its bytes, or what was made, or is just being made, of them."""
    # What is made of an object lies under its key, and the object's key has an index.
    originals = {"/".join(key.split("/")[:2]) for key in keys}
    statement = select(Node.object_key, Node.thumbnail_key, Node.status).where(
        Node.object_key.in_(originals), Node.object_key.is_not(None)
    )
    rows = (await tx.session.execute(statement)).all()
    named = {key for row in rows for key in row[:2]}
    processed = {row[0] for row in rows if row[2] == PROCESSING}
    return {key for key in keys if key in named or "/".join(key.split("/")[:2]) in processed}


class DerivedObject(NamedTuple):
    """An object that was made of a file's bytes."""

    file_id: str
    key: str


async def derived_objects(tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
    """Up to ``limit`` of them, by ascending id of the file from the one behind ``after``."""
    statement = select(Node.id, Node.thumbnail_key).where(Node.id > after, Node.thumbnail_key.is_not(None))
    rows = await tx.session.execute(statement.order_by(Node.id).limit(limit))
    return [DerivedObject(file_id, key) for file_id, key in rows if key is not None]


async def names_derived(tx: Transaction, derived: DerivedObject) -> bool:
    """Whether the file still says that this was made of it."""
    return await tx.session.scalar(select(Node.thumbnail_key).where(Node.id == derived.file_id)) == derived.key


async def forget_derived(tx: Transaction, derived: DerivedObject) -> None:
    """Let the file go without it."""
    await tx.session.execute(
        update(Node)
        .where(Node.id == derived.file_id, Node.thumbnail_key == derived.key)
        .values(thumbnail_key=None, version=Node.version + 1)
        .execution_options(synchronize_session=False)
    )


async def settled(tx: Transaction, ids: Collection[str]) -> dict[str, bool]:
    """Of those of the files that are whole and not being processed, whether they are ready; they failed otherwise."""
    statement = select(Node.id, Node.status).where(
        Node.id.in_(ids), Node.status.in_((READY, FAILED)), Node.damage.is_(None)
    )
    return {file_id: status == READY for file_id, status in await tx.session.execute(statement)}


async def ready_files(tx: Transaction, after: str, limit: int) -> dict[str, str]:
    """The media types of up to ``limit`` ready and whole files, by ascending id from the one behind ``after``."""
    statement = select(Node.id, Node.mime_type).where(
        Node.id > after, Node.status == READY, Node.damage.is_(None), *_STORED
    )
    rows = await tx.session.execute(statement.order_by(Node.id).limit(limit))
    return {file_id: mime_type for file_id, mime_type in rows}  # noqa: C416  rows are no pairs to ``dict``


async def playable_files(tx: Transaction, after: str, limit: int) -> list[str]:
    """Ids of up to ``limit`` ready files that are said to be playable, ascending from the one behind ``after``."""
    statement = select(Node.id).where(Node.id > after, Node.playable_at.is_not(None), Node.status == READY)
    return list(await tx.session.scalars(statement.order_by(Node.id).limit(limit)))


async def said_to_be_playable(tx: Transaction, ids: Collection[str]) -> dict[str, bool]:
    """Of those of the files that are ready, whether they are said to be playable."""
    statement = select(Node.id, Node.playable_at).where(Node.id.in_(ids), Node.status == READY)
    return {file_id: moment is not None for file_id, moment in await tx.session.execute(statement)}


async def count_damaged(tx: Transaction) -> int:
    """How many files are marked as damaged."""
    return await tx.session.scalar(select(func.count()).where(Node.damage.is_not(None))) or 0


async def stored_bytes(tx: Transaction) -> int:
    """How many bytes all files have together."""
    return int(await tx.session.scalar(select(func.sum(Node.size)).where(*_STORED)) or 0)


async def mark_damaged(tx: Transaction, file: StoredFile, reason: str) -> bool:
    """Give the file's bytes out no more, and tell its owner; ``False`` when it is gone or was marked so before."""
    if not await _set_damage(tx, file, reason):
        return False
    tx.record(FileDamaged(file_id=file.id, owner_id=file.owner_id, name=file.name, reason=reason))
    return True


async def mark_recovered(tx: Transaction, file: StoredFile) -> bool:
    """Give the file's bytes out again, and tell its owner; ``False`` when it is gone or was not marked."""
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
