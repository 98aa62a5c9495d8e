"""The consumer that counts events."""

from metastore.features.analytics.service import AnalyticsService
from metastore.features.auth.events import SessionOpened, SessionRefused, UserRegistered
from metastore.features.files.events import FileDownloaded, FilePurged, FileUploaded, FolderCreated
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent

_UPLOADING = "UPLOADING"


def consumers(analytics: AnalyticsService) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_uploaded(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        file = FileUploaded.model_validate(event.payload)
        await analytics.count(tx, event.created_at, user_id=file.owner_id, uploads=1, uploaded_bytes=file.size)
        return None

    async def on_downloaded(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        file = FileDownloaded.model_validate(event.payload)
        # The actor need not be the owner, for instance if the file is shared by a link.
        actor = event.headers.get("actorId")
        await analytics.count(tx, event.created_at, user_id=actor, downloads=1, downloaded_bytes=file.size)
        return None

    async def on_purged(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        file = FilePurged.model_validate(event.payload)
        # No user is counted as active, because expired trash is purged automatically. Unfinished uploads do not count.
        if file.status != _UPLOADING:
            await analytics.count(tx, event.created_at, deletions=1, deleted_bytes=file.size)
        return None

    async def on_folder(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        folder = FolderCreated.model_validate(event.payload)
        await analytics.count(tx, event.created_at, user_id=folder.owner_id)
        return None

    async def on_signed_in(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        session = SessionOpened.model_validate(event.payload)
        await analytics.count(tx, event.created_at, user_id=session.user_id, sign_ins=1)
        return None

    async def on_refused(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        await analytics.count(tx, event.created_at, refused_sign_ins=1)
        return None

    async def on_registered(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        await analytics.count(tx, event.created_at, new_users=1)
        return None

    handlers = {
        FileUploaded.event_type: on_uploaded,
        FileDownloaded.event_type: on_downloaded,
        FilePurged.event_type: on_purged,
        FolderCreated.event_type: on_folder,
        SessionOpened.event_type: on_signed_in,
        SessionRefused.event_type: on_refused,
        UserRegistered.event_type: on_registered,
    }
    return [Consumer("analytics", in_transaction=handlers)]
