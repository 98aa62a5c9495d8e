"""The consumer that counts events."""

from collections.abc import Callable, Sequence

from metastore.features.analytics.service import AnalyticsService, Usage
from metastore.features.auth.events import SessionOpened, SessionRefused, UserRegistered
from metastore.features.files.events import FileDownloaded, FilePurged, FileUploaded, FolderCreated
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent

_UPLOADING = "UPLOADING"


def consumers(analytics: AnalyticsService) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_events(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        usages = (_USAGES[event.event_type](event) for event in events)
        await analytics.count(tx, [usage for usage in usages if usage is not None])
        return ()

    return [Consumer("analytics", in_batches=dict.fromkeys(_USAGES, on_events))]


def _upload(event: RecordedEvent) -> Usage:
    file = FileUploaded.model_validate(event.payload)
    return Usage(event.created_at, file.owner_id, {"uploads": 1, "uploaded_bytes": file.size})


def _download(event: RecordedEvent) -> Usage:
    file = FileDownloaded.model_validate(event.payload)
    # The actor need not be the owner, for instance if the file is shared by a link.
    actor = event.headers.get("actorId")
    return Usage(event.created_at, actor, {"downloads": 1, "downloaded_bytes": file.size})


def _deletion(event: RecordedEvent) -> Usage | None:
    file = FilePurged.model_validate(event.payload)
    # No user is counted as active, because expired trash is purged automatically. Unfinished uploads do not count.
    if file.status == _UPLOADING:
        return None
    return Usage(event.created_at, amounts={"deletions": 1, "deleted_bytes": file.size})


def _new_folder(event: RecordedEvent) -> Usage:
    return Usage(event.created_at, FolderCreated.model_validate(event.payload).owner_id)


def _sign_in(event: RecordedEvent) -> Usage:
    return Usage(event.created_at, SessionOpened.model_validate(event.payload).user_id, {"sign_ins": 1})


def _refused_sign_in(event: RecordedEvent) -> Usage:
    return Usage(event.created_at, amounts={"refused_sign_ins": 1})


def _new_user(event: RecordedEvent) -> Usage:
    return Usage(event.created_at, amounts={"new_users": 1})


_USAGES: dict[str, Callable[[RecordedEvent], Usage | None]] = {
    FileUploaded.event_type: _upload,
    FileDownloaded.event_type: _download,
    FilePurged.event_type: _deletion,
    FolderCreated.event_type: _new_folder,
    SessionOpened.event_type: _sign_in,
    SessionRefused.event_type: _refused_sign_in,
    UserRegistered.event_type: _new_user,
}
