"""Event consumers of the uploads feature."""

from metastore.features.files.events import FilePurged
from metastore.features.uploads.events import UploadAborted
from metastore.features.uploads.service import UploadsService
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent


def consumers(uploads: UploadsService) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_file_purged(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        """End the upload of a file that was purged before it was complete."""
        await uploads.abort_of_purged_file(tx, FilePurged.model_validate(event.payload).file_id)
        return None

    async def on_upload_aborted(event: RecordedEvent) -> None:
        """Remove the bytes from the store. The request that aborted may have failed to do so."""
        aborted = UploadAborted.model_validate(event.payload)
        await uploads.release_in_store(aborted.object_key, aborted.store_upload_id)

    return [
        Consumer(
            "uploads",
            in_transaction={FilePurged.event_type: on_file_purged},
            outside={UploadAborted.event_type: on_upload_aborted},
        )
    ]
