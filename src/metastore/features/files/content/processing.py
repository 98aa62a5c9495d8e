"""Status changes of a file while it is processed.

Every uploaded file has a saga of the kind ``INGEST``, whose subject is the file's ID; ``media.ingest`` defines its
steps. Step, progress and error are stored only in the saga's row. This module holds what the steps change in the
file::

    UPLOADING ──▶ PROCESSING ──▶ READY
                      │  ▲
                      ▼  │ retry
                     FAILED          (the original can still be downloaded)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from metastore.features.files import repository
from metastore.features.files.events import FileFailed, FileReady
from metastore.features.files.models import FAILED, PROCESSING, READY, AnyNode, LocatedNode, Node
from metastore.features.files.representation.serialization import join_path
from metastore.features.files.tree.paths import path_of_folder
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.problems.reason_codes import ReasonCode, known_reason
from metastore.kit.saga import sagas
from metastore.kit.saga.models import Saga

INGEST = "ingest"
INITIATE, STORE, NOTIFY = "initiate", "store", "notify"
REPROCESSED = "again"
"""Key in a saga's data: the file was READY before, so its owner is not notified again."""
PROBE, PACKAGE, THUMBNAIL, TRANSCODE = "probe", "package", "thumbnail", "transcode"


@dataclass(frozen=True, slots=True)
class Original:
    """The original object that is processed; ``size`` in bytes."""

    file_id: str
    name: str
    size: int
    mime_type: str
    object_key: str
    thumbnail_key: str | None = None


async def sagas_of(tx: Transaction, rows: Iterable[AnyNode]) -> dict[str, Saga]:
    """Return the sagas, by file ID, of files that are PROCESSING or FAILED; no query runs if none is."""
    return await sagas.sagas_of(tx, INGEST, [row.id for row in rows if row.status in (PROCESSING, FAILED)])


async def original_of(tx: Transaction, file_id: str) -> Original | None:
    """Return the file's original; ``None`` if the file no longer exists or is not PROCESSING."""
    node = await repository.find(tx, file_id)
    if node is None or node.status != PROCESSING or node.object_key is None:
        return None
    return Original(node.id, node.name, node.size, node.mime_type, node.object_key, node.thumbnail_key)


async def mark_ready(tx: Transaction, file_id: str, *, notify: bool = True) -> None:
    """Change PROCESSING to READY and, with ``notify``, record ``file.ready``.

    Do nothing if the file no longer exists.
    """
    node = await repository.change_status(tx, file_id, PROCESSING, READY)
    if node is None or not notify:
        return
    path = join_path(await path_of_folder(tx, node.parent_id), node.name)
    tx.record(
        FileReady(
            file_id=node.id, owner_id=node.owner_id, name=node.name, path=path, size=node.size, mime_type=node.mime_type
        )
    )


async def mark_failed(tx: Transaction, saga: Saga, step: str) -> None:
    """Change the saga's file from PROCESSING to FAILED and record ``file.failed``.

    Do nothing if the file no longer exists.
    """
    node = await repository.change_status(tx, saga.subject, PROCESSING, FAILED)
    if node is not None:
        tx.record(
            FileFailed(
                file_id=node.id,
                owner_id=node.owner_id,
                name=node.name,
                step=step,
                reason=saga.error or ReasonCode.PROCESSING_FAILED.sentence,
                reason_code=known_reason(saga.error_code),
                retryable=saga.retryable,
            )
        )


async def thumbnail_of(tx: Transaction, file_id: str) -> str | None:
    """Return the object key of the file's thumbnail, if it has one."""
    node = await repository.find(tx, file_id)
    return node.thumbnail_key if node else None


async def set_thumbnail(tx: Transaction, original: Original, key: str) -> bool:
    """Set the file's thumbnail to the object ``key``; return ``False`` if the file no longer exists."""
    return await repository.set_thumbnail(tx, original.file_id, key)


async def clear_thumbnail(tx: Transaction, file_id: str) -> None:
    """Clear the file's thumbnail."""
    await repository.set_thumbnail(tx, file_id, None)


async def mark_playable(tx: Transaction, file_id: str) -> bool:
    """Mark the file as playable; return ``False`` if it was marked before or no longer exists."""
    return await repository.mark_playable(tx, file_id)


async def clear_playable(tx: Transaction, file_id: str) -> None:
    """Mark the file as not playable."""
    await repository.clear_playable(tx, file_id)


async def restart_processing(tx: Transaction, file_id: str) -> bool:
    """Process a READY file again, creating only the derived objects that are missing.

    Return ``False`` if the file no longer exists, is not READY, or is damaged.
    """
    node = await repository.find(tx, file_id)
    if node is None or node.damage is not None or node.object_key is None:
        return False
    if await repository.change_status(tx, file_id, READY, PROCESSING) is None:
        return False
    await sagas.forget(tx, INGEST, file_id)
    data: dict[str, JsonValue] = {"ownerId": node.owner_id, "name": node.name, REPROCESSED: True}
    data["uploadId"] = node.object_key.rpartition("/")[2]
    sagas.start(tx, INGEST, file_id, done=STORE, step=PROBE, due_at=utc_now(), data=data, owner=node.owner_id)
    return True


async def retry(tx: Transaction, file: LocatedNode) -> Node:
    """Retry failed processing. Exactly one of several concurrent calls succeeds.

    Raises:
        Problem: 409 ``nothing-to-retry`` if processing has not failed or cannot be retried.
    """
    if file.damage is None and await sagas.restart(tx, INGEST, file.id, step=PROBE):
        restarted = await repository.change_status(tx, file.id, FAILED, PROCESSING)
        if restarted is not None:
            return restarted
    raise Problem(409, ProblemCode.NOTHING_TO_RETRY, "This file has no failed processing that can be retried.")
