"""SQL statements of the uploads feature."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, bindparam, column, delete, false, func, insert, or_, select, table, update

from metastore.features.files.content.processing import INGEST
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, ObjectKeyBlock, Upload
from metastore.kit.database.command import Command, Id, Nothing, RowInsert
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.saga import sagas


async def find(tx: Transaction, upload_id: str) -> Upload | None:
    """Return the upload, whoever owns it."""
    return await tx.session.get(Upload, upload_id)


async def find_by_file(tx: Transaction, file_id: str) -> Upload | None:
    """Return the upload of a file."""
    return (await tx.session.scalars(select(Upload).where(Upload.file_id == file_id))).first()


async def add(tx: Transaction, upload: Upload) -> None:
    """Insert an upload, which stays outside the session."""
    await tx.execute_soon(_ADD, [{column.key: getattr(upload, column.key) for column in _UPLOADS}])


async def state_of(tx: Transaction, upload_id: str) -> str | None:
    """Return the upload's current state, or ``None`` when it is gone."""
    return (await tx.session.scalars(select(Upload.state).where(Upload.id == upload_id))).first()


async def set_store_upload_id(tx: Transaction, upload_id: str, store_upload_id: str) -> bool:
    """Set the store's id. Return ``False`` when the upload is gone or already has one."""
    return await _changed(
        tx,
        upload_id,
        Upload.state == OPEN,
        Upload.store_upload_id.is_(None),
        values={"store_upload_id": store_upload_id},
    )


async def touch(tx: Transaction, upload_id: str, now: datetime, expires_at: datetime) -> bool:
    """Extend an open upload that has not expired at ``now`` to ``expires_at``."""
    return await _changed(
        tx, upload_id, Upload.state == OPEN, Upload.expires_at >= now, values={"expires_at": expires_at}
    )


class ClaimedUpload(NamedTuple):
    """An upload that is COMPLETING now, and the name of its file; empty if the file was purged."""

    upload: Upload
    name: str


class _ClaimedRow(NamedTuple):
    id: str
    owner_id: str
    file_id: str
    object_key: str
    store_upload_id: str | None
    size: int
    part_size: int
    mime_type: str
    state: str
    claimed_at: datetime | None
    created_at: datetime
    expires_at: datetime
    name: str | None


async def claim(tx: Transaction, owner_id: str, file_id: str, upload_id: str, now: datetime) -> ClaimedUpload | None:
    """OPEN or COMPLETING → COMPLETING. Concurrent completions are allowed: completing is idempotent."""
    for row in await tx.execute(_CLAIM, owner=owner_id, file=file_id, upload=upload_id, now=now):
        columns = row._asdict()
        name = columns.pop("name")
        return ClaimedUpload(Upload(**columns), name or "")
    return None


async def reopen(tx: Transaction, upload_id: str) -> bool:
    """COMPLETING → OPEN, after the store rejected a part."""
    return await _changed(tx, upload_id, Upload.state == COMPLETING, values={"state": OPEN, "claimed_at": None})


async def finish(tx: Transaction, upload_id: str) -> bool:
    """OPEN or COMPLETING → COMPLETED. Exactly one of several callers gets ``True``.

    OPEN is allowed because a concurrent completion with a bad part may have reopened the upload.
    """
    return bool(await tx.execute(_FINISH, upload=upload_id))


async def remove_unfinished(tx: Transaction, upload_id: str, *, claimed_before: datetime | None) -> Upload | None:
    """Delete an upload that is OPEN, or COMPLETING since before ``claimed_before``. Return the row, or ``None``."""
    removable: ColumnElement[bool] = Upload.state == OPEN
    if claimed_before is not None:
        removable = removable | ((Upload.state == COMPLETING) & (Upload.claimed_at < claimed_before))
    statement = delete(Upload).where(Upload.id == upload_id, removable).returning(Upload)
    return (await tx.session.scalars(statement)).first()


async def unfinished_of(tx: Transaction, owner_id: str, *, after: str | None, limit: int) -> Sequence[Upload]:
    """Return the owner's open uploads, latest first, that are older than the id ``after``."""
    statement = select(Upload).where(Upload.owner_id == owner_id, Upload.state == OPEN)
    if after is not None:
        statement = statement.where(Upload.id < after)
    return (await tx.session.scalars(statement.order_by(Upload.id.desc()).limit(limit))).all()


async def expired_without_saga(tx: Transaction, now: datetime, limit: int) -> Sequence[Upload]:
    """Return unfinished uploads that expired before ``now`` and whose saga has ended or is missing."""
    statement = select(Upload).where(
        Upload.state.in_((OPEN, COMPLETING)), Upload.expires_at < now, ~sagas.is_under_way(INGEST, Upload.file_id)
    )
    return (await tx.session.scalars(statement.order_by(Upload.expires_at).limit(limit))).all()


async def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Return which of these object keys belong to unfinished uploads."""
    statement = select(Upload.object_key).where(Upload.object_key.in_(keys), Upload.state != COMPLETED)
    return set(await tx.session.scalars(statement))


async def store_ids(tx: Transaction, keys: Sequence[str]) -> dict[str, str | None]:
    """Return the store's upload ids of unfinished uploads, by object key."""
    statement = select(Upload.object_key, Upload.store_upload_id).where(
        Upload.object_key.in_(keys), Upload.state != COMPLETED
    )
    return dict((await tx.session.execute(statement)).all())


async def open_in_store(tx: Transaction, after: str, limit: int) -> Sequence[Row[str, str, str, str, str | None]]:
    """Return id, owner, file, key and store id of open multipart uploads, by ascending id, after the id ``after``."""
    statement = select(Upload.id, Upload.owner_id, Upload.file_id, Upload.object_key, Upload.store_upload_id).where(
        Upload.id > after, Upload.state == OPEN, Upload.store_upload_id.is_not(None)
    )
    return (await tx.session.execute(statement.order_by(Upload.id).limit(limit))).all()


async def count_unfinished(tx: Transaction) -> int:
    """Return the number of unfinished uploads."""
    return await tx.session.scalar(select(func.count()).where(Upload.state != COMPLETED)) or 0


async def unfinished(tx: Transaction, limit: int) -> Sequence[Upload]:
    """Return up to ``limit`` unfinished uploads."""
    return (await tx.session.scalars(select(Upload).where(Upload.state != COMPLETED).limit(limit))).all()


async def files_under_way(tx: Transaction, file_ids: Sequence[str]) -> set[str]:
    """Return which of these files have an unfinished upload."""
    statement = select(Upload.file_id).where(Upload.file_id.in_(file_ids), Upload.state != COMPLETED)
    return set(await tx.session.scalars(statement))


async def forget_completed(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` completed uploads that expired before ``before``. Return how many were deleted."""
    old = select(Upload.id).where(Upload.state == COMPLETED, Upload.expires_at < before).limit(limit)
    statement = delete(Upload).where(Upload.id.in_(old.scalar_subquery())).returning(Upload.id)
    return len((await tx.session.scalars(statement)).all())


async def add_key_block(tx: Transaction, block_id: str, expires_at: datetime) -> None:
    """Insert a block of object keys."""
    await tx.execute(_ADD_KEY_BLOCK, id=block_id, expires_at=expires_at)


async def hold_key_block(tx: Transaction, block_id: str) -> bool:
    """Return whether the block is open; if so, it cannot be closed before the transaction ends."""
    return bool(await tx.fetch(_HELD_KEY_BLOCK, block_id=block_id))


async def expired_key_blocks(tx: Transaction, now: datetime, limit: int) -> Sequence[str]:
    """Return the IDs of up to ``limit`` blocks that have expired or are closed."""
    statement = select(ObjectKeyBlock.id).where(or_(ObjectKeyBlock.closed, ObjectKeyBlock.expires_at < now))
    return (await tx.session.scalars(statement.order_by(ObjectKeyBlock.id).limit(limit))).all()


async def close_key_block(tx: Transaction, block_id: str) -> None:
    """Close a block, once no transaction holds it."""
    statement = update(ObjectKeyBlock).where(ObjectKeyBlock.id == block_id).values(closed=True)
    await tx.session.execute(statement.execution_options(synchronize_session=False))


async def delete_key_block(tx: Transaction, block_id: str) -> None:
    """Delete a block."""
    statement = delete(ObjectKeyBlock).where(ObjectKeyBlock.id == block_id)
    await tx.session.execute(statement.execution_options(synchronize_session=False))


_UPLOADS = table_of(Upload).c
_IS_UNFINISHED = or_(_UPLOADS.state == OPEN, _UPLOADS.state == COMPLETING)
_NODES = table("nodes", column("id"), column("name"))
_NAME_OF_FILE = select(_NODES.c.name).where(_NODES.c.id == _UPLOADS.file_id).scalar_subquery()
_CLAIM = Command(
    _ClaimedRow,
    update(table_of(Upload))
    .where(
        _UPLOADS.id == bindparam("upload"),
        _UPLOADS.owner_id == bindparam("owner"),
        _UPLOADS.file_id == bindparam("file"),
        _IS_UNFINISHED,
    )
    .values(state=COMPLETING, claimed_at=bindparam("now", type_=_UPLOADS.claimed_at.type))
    .returning(*(_UPLOADS[name] for name in _ClaimedRow._fields if name != "name"), _NAME_OF_FILE),
)
# FOR SHARE on PostgreSQL; SQLite has a single writer.
_HELD_KEY_BLOCK = Query(
    Id,
    select(ObjectKeyBlock.id)
    .where(ObjectKeyBlock.id == bindparam("block_id"), ObjectKeyBlock.closed == false())
    .with_for_update(read=True),
)
_ADD_KEY_BLOCK = RowInsert(Nothing, insert(table_of(ObjectKeyBlock)))
_ADD = RowInsert(Nothing, insert(table_of(Upload)))
_FINISH = Command(
    Id,
    update(table_of(Upload))
    .where(_UPLOADS.id == bindparam("upload"), _IS_UNFINISHED)
    .values(state=COMPLETED)
    .returning(_UPLOADS.id),
)


async def _changed(
    tx: Transaction, upload_id: str, *conditions: ColumnElement[bool], values: dict[str, object]
) -> bool:
    statement = update(Upload).where(Upload.id == upload_id, *conditions).values(values).returning(Upload.id)
    return (await tx.session.execute(statement.execution_options(synchronize_session=False))).first() is not None
