"""What the uploads feature does when it hears of facts."""

from metastore.features.files.events import FilePurged
from metastore.features.uploads.events import UploadAborted
from metastore.features.uploads.service import UploadsService
from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.database import Transaction
from metastore.kit.outbox import RecordedEvent


def consumers(uploads: UploadsService) -> list[Consumer]:
    """The feature's consumers."""

    async def on_file_purged(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        """A file may be purged while it is still coming in; its upload then ends."""
        await uploads.abort_of_purged_file(tx, FilePurged.model_validate(event.payload).file_id)
        return None

    async def on_upload_aborted(event: RecordedEvent) -> None:
        """The request that aborted has tried this at once; here is where it surely happens."""
        aborted = UploadAborted.model_validate(event.payload)
        await uploads.release_in_store(aborted.object_key, aborted.store_upload_id)

    return [
        Consumer(
            "uploads",
            in_transaction={FilePurged.event_type: on_file_purged},
            outside={UploadAborted.event_type: on_upload_aborted},
        )
    ]
