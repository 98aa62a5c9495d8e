"""Ending an upload without a file, in the caller's transaction.

The bytes are not touched here: the consumer of ``upload.aborted`` removes them from the store.
"""

from datetime import datetime

from metastore.features.auth.accounts import quota
from metastore.features.files.content.processing import INGEST, STORE
from metastore.features.files.events import FileFailed
from metastore.features.files.service import FilesService
from metastore.features.uploads import repository
from metastore.features.uploads.events import UploadAborted
from metastore.features.uploads.models import Upload
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas


async def cancel_upload(
    tx: Transaction,
    files: FilesService,
    upload_id: str,
    reason: str,
    *,
    claimed_before: datetime | None = None,
    failure: ReasonCode | None = None,
) -> bool:
    """End the upload as ``end_upload`` does, and its saga with it. Return whether there was an upload to end.

    The saga ends as failed with ``failure``, else as cancelled.
    """
    removed = await end_upload(tx, files, upload_id, reason, claimed_before=claimed_before, failure=failure)
    if removed is not None:
        error = failure.sentence if failure else reason
        await sagas.end(tx, INGEST, removed.file_id, error=error, code=failure, cancelled=failure is None)
    return removed is not None


async def end_upload(
    tx: Transaction,
    files: FilesService,
    upload_id: str,
    reason: str,
    *,
    claimed_before: datetime | None = None,
    failure: ReasonCode | None = None,
) -> Upload | None:
    """Remove upload, file entry and reservation if the upload is OPEN, or COMPLETING since before ``claimed_before``.

    With ``failure`` the owner is notified by ``file.failed``; without it nobody is notified. Returns the removed row,
    or ``None`` when the upload was not in such a state.
    """
    removed = await repository.remove_unfinished(tx, upload_id, claimed_before=claimed_before)
    if removed is None:
        return None
    owner_id, file_id = removed.owner_id, removed.file_id
    name = await files.name_of(tx, file_id)
    await quota.release(tx, owner_id, removed.size)
    await files.discard_uploading_file(tx, file_id)
    tx.record(
        UploadAborted(
            upload_id=removed.id,
            file_id=file_id,
            owner_id=owner_id,
            size=removed.size,
            reason=reason,
            object_key=removed.object_key,
            store_upload_id=removed.store_upload_id,
        )
    )
    if failure is not None and name is not None:
        tx.record(
            FileFailed(
                file_id=file_id,
                owner_id=owner_id,
                name=name,
                step=STORE,
                reason=failure.sentence,
                reason_code=failure,
                retryable=False,
            )
        )
    return removed
