"""What an upload's end means for the saga of its file's arrival, and for the file's owner."""

from metastore.features.files.events import FileFailed
from metastore.features.files.processing import INGEST, NOTIFY, PROBE, STORE
from metastore.features.uploads.events import UploadAborted
from metastore.features.uploads.models import Upload
from metastore.features.uploads.refusals import upload_not_found
from metastore.kit import saga
from metastore.kit.database import Transaction
from metastore.kit.reason_codes import ReasonCode


async def move_on(tx: Transaction, file_id: str, *, needs_processing: bool) -> None:
    """The step ``store`` is done in this transaction; what needs no processing is through with the others as well."""
    if needs_processing:
        moved = await saga.advance(tx, INGEST, file_id, step=STORE, to=PROBE)
    else:
        moved = await saga.finish(tx, INGEST, file_id, step=STORE, last=NOTIFY)
    if not moved:
        # Its time was over, and it is being taken back.
        raise upload_not_found()


def record_failure(tx: Transaction, file_id: str, owner_id: str, name: str, code: ReasonCode) -> None:
    """Notify the owner that a file was not uploaded."""
    tx.record(
        FileFailed(
            file_id=file_id,
            owner_id=owner_id,
            name=name,
            step=STORE,
            reason=code.sentence,
            reason_code=code,
            retryable=False,
        )
    )


def aborted(gone: Upload, reason: str) -> UploadAborted:
    """The fact that an upload was called off, whose row is gone."""
    return UploadAborted(
        upload_id=gone.id,
        file_id=gone.file_id,
        owner_id=gone.owner_id,
        size=gone.size,
        reason=reason,
        object_key=gone.object_key,
        store_upload_id=gone.store_upload_id,
    )
