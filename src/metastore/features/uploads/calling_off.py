"""Taking the first step of an upload back, in the caller's transaction; its bytes follow by ``upload.aborted``."""

from datetime import datetime

from metastore.features.auth import quota
from metastore.features.files.processing import INGEST
from metastore.features.files.service import FilesService
from metastore.features.uploads import repository
from metastore.features.uploads.models import Upload
from metastore.features.uploads.saga_steps import aborted
from metastore.kit import saga
from metastore.kit.database import Transaction


async def call_off(
    tx: Transaction,
    files: FilesService,
    upload_id: str,
    reason: str,
    *,
    claimed_before: datetime | None = None,
    expired_before: datetime | None = None,
    cancelled: bool = True,
) -> bool:
    """``drop``, and the end of the saga with it; whether there was anything to end."""
    gone = await drop(tx, files, upload_id, reason, claimed_before=claimed_before, expired_before=expired_before)
    if gone is not None:
        await saga.end(tx, INGEST, gone.file_id, error=reason, cancelled=cancelled)
    return gone is not None


async def drop(
    tx: Transaction,
    files: FilesService,
    upload_id: str,
    reason: str,
    *,
    claimed_before: datetime | None = None,
    expired_before: datetime | None = None,
) -> Upload | None:
    """Remove upload, file and reservation, if the upload is OPEN or began to complete before then; the row."""
    gone = await repository.remove_unfinished(
        tx, upload_id, claimed_before=claimed_before, expired_before=expired_before
    )
    if gone is None:
        return None
    await quota.release(tx, gone.owner_id, gone.size)
    await files.discard_file(tx, gone.file_id)
    tx.record(aborted(gone, reason))
    return gone
