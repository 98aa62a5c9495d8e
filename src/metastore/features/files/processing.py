"""What happens to a file between the arrival of its bytes and its being ready, as far as the file itself is concerned.

A file's arrival is a saga of the kind ``INGEST`` whose subject is the file; ``media.ingest`` binds its steps. Its
row is the only place that knows step, progress and error. Here is what the steps change about the file::

    UPLOADING ──▶ PROCESSING ──▶ READY
                      │  ▲
                      ▼  │ retry
                     FAILED          (the original can be downloaded all the same)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from metastore.features.files import repository, tree
from metastore.features.files.events import FileFailed, FileReady
from metastore.features.files.models import FAILED, FILE, PROCESSING, READY, Node, NodeRow
from metastore.features.files.presentation import join
from metastore.kit import saga
from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.kit.reason_codes import ReasonCode, known_reason
from metastore.kit.saga_models import Saga

INGEST = "ingest"
INITIATE, STORE, NOTIFY = "initiate", "store", "notify"
AGAIN = "again"
"""In the data of a saga: the file was ready before, and nobody need be told that it is so again."""
PROBE, PACKAGE, THUMBNAIL, TRANSCODE = "probe", "package", "thumbnail", "transcode"


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes that are processed; ``size`` in bytes."""

    file_id: str
    name: str
    size: int
    mime_type: str
    object_key: str
    thumbnail_key: str | None = None


async def sagas_of(tx: Transaction, rows: Iterable[NodeRow | Node]) -> dict[str, Saga]:
    """Of these files, the sagas of those that are being processed, or failed; nothing is asked when none is."""
    return await saga.sagas_of(tx, INGEST, [row.id for row in rows if row.status in (PROCESSING, FAILED)])


async def original_of(tx: Transaction, file_id: str) -> Original | None:
    """What there is to process; ``None`` when the file is gone or is not being processed."""
    node = await repository.find(tx, file_id)
    if node is None or node.status != PROCESSING or node.object_key is None:
        return None
    return Original(node.id, node.name, node.size, node.mime_type, node.object_key, node.thumbnail_key)


async def make_ready(tx: Transaction, file_id: str, *, tell: bool = True) -> None:
    """PROCESSING becomes READY, and its owner hears of it; nothing happens to a file that is gone."""
    node = await repository.change_status(tx, file_id, PROCESSING, READY)
    if node is None or not tell:
        return
    path = join(await tree.path_of_folder(tx, node.parent_id), node.name)
    tx.record(
        FileReady(
            file_id=node.id, owner_id=node.owner_id, name=node.name, path=path, size=node.size, mime_type=node.mime_type
        )
    )


async def make_failed(tx: Transaction, saga: Saga, step: str) -> None:
    """Change the saga's file from PROCESSING to FAILED and notify its owner; do nothing for a file that is gone."""
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
    """Where the file's small picture is."""
    node = await repository.find(tx, file_id)
    return node.thumbnail_key if node else None


async def set_thumbnail(tx: Transaction, original: Original, key: str) -> bool:
    """Note where the file's small picture is; ``False`` when the file is gone."""
    return await repository.set_thumbnail(tx, original.file_id, key)


async def clear_thumbnail(tx: Transaction, file_id: str) -> None:
    """Note that there is no small picture (any more)."""
    await repository.set_thumbnail(tx, file_id, None)


async def make_playable(tx: Transaction, file_id: str) -> bool:
    """Note that it can be played from now on; ``False`` when that was known before, or the file is gone."""
    return await repository.make_playable(tx, file_id)


async def clear_playable(tx: Transaction, file_id: str) -> None:
    """Note that there is nothing (any more) to be played."""
    await repository.clear_playable(tx, file_id)


async def process_again(tx: Transaction, file_id: str) -> bool:
    """Process a file that is ready once more: what there is of it is kept, what is missing is made.

    ``False`` when it is gone, not ready, or damaged.
    """
    node = await repository.find(tx, file_id)
    if node is None or node.damage is not None or node.object_key is None:
        return False
    if await repository.change_status(tx, file_id, READY, PROCESSING) is None:
        return False
    await saga.forget(tx, INGEST, file_id)
    about: dict[str, JsonValue] = {"ownerId": node.owner_id, "name": node.name, AGAIN: True}
    about["uploadId"] = node.object_key.rpartition("/")[2]
    saga.start(tx, INGEST, file_id, done=STORE, step=PROBE, due_at=utc_now(), data=about, owner=node.owner_id)
    return True


async def retry(tx: Transaction, owner_id: str, file_id: str) -> Node:
    """Run a failed processing again; of many at once, one does.

    Raises:
        Problem: 404; 409 ``nothing-to-retry`` when it has not failed, or would fail again.
    """
    node = await tree.owned_alive(tx, owner_id, file_id, FILE)
    if node.damage is None and await saga.restart(tx, INGEST, file_id, step=PROBE):
        restarted = await repository.change_status(tx, file_id, FAILED, PROCESSING)
        if restarted is not None:
            return restarted
    raise Problem(409, ProblemCode.NOTHING_TO_RETRY, "This file has no failed processing that can be retried.")
