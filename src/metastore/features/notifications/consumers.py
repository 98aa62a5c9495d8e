"""Consumers that notify users of events and close the sockets of revoked sessions."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from metastore.features.auth.events import SessionRevoked
from metastore.features.files.events import FileDamaged, FileFailed, FileReady, FileRecovered
from metastore.features.notifications.messages import NotificationType
from metastore.features.notifications.service import Notice, NotificationsService
from metastore.features.sharing.events import ShareAccessed, ShareGuessed
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.realtime import Realtime


def consumers(notifications: NotificationsService, realtime: Realtime) -> list[Consumer]:
    """Return the feature's consumers.

    Closing sockets is a consumer of its own, so that a sign-out does not wait behind notifications.
    """

    async def on_events(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        notices = [_NOTICES[event.event_type](event) for event in events]
        return await notifications.create(tx, [notice for notice in notices if notice])

    async def on_session_revoked(event: RecordedEvent) -> None:
        await realtime.close_session(SessionRevoked.model_validate(event.payload).session_id)

    return [
        Consumer("notifications", in_batches=dict.fromkeys(_NOTICES, on_events)),
        Consumer("sockets", outside={SessionRevoked.event_type: on_session_revoked}),
    ]


def _file_ready(event: RecordedEvent) -> Notice:
    ready = FileReady.model_validate(event.payload)
    return Notice(
        ready.owner_id,
        event.id,
        NotificationType.FILE_READY,
        {
            "fileId": ready.file_id,
            "name": ready.name,
            "path": ready.path,
            "size": ready.size,
            "mimeType": ready.mime_type,
        },
    )


def _file_failed(event: RecordedEvent) -> Notice:
    failed = FileFailed.model_validate(event.payload)
    return Notice(
        failed.owner_id,
        event.id,
        NotificationType.FILE_FAILED,
        {
            "fileId": failed.file_id,
            "name": failed.name,
            "step": failed.step,
            "reason": failed.reason,
            "reasonCode": failed.reason_code.value if failed.reason_code else None,
            "retryable": failed.retryable,
        },
    )


def _file_damaged(event: RecordedEvent) -> Notice:
    damaged = FileDamaged.model_validate(event.payload)
    payload = {"fileId": damaged.file_id, "name": damaged.name, "reason": damaged.reason}
    return Notice(damaged.owner_id, event.id, NotificationType.FILE_DAMAGED, payload)


def _file_recovered(event: RecordedEvent) -> Notice:
    recovered = FileRecovered.model_validate(event.payload)
    payload = {"fileId": recovered.file_id, "name": recovered.name}
    return Notice(recovered.owner_id, event.id, NotificationType.FILE_RECOVERED, payload)


def _share_accessed(event: RecordedEvent) -> Notice | None:
    accessed = ShareAccessed.model_validate(event.payload)
    if not accessed.notify:
        return None
    payload: dict[str, JsonValue] = {
        "linkId": accessed.link_id,
        "nodeId": accessed.node_id,
        "name": accessed.name,
        "accessCount": accessed.access_count,
    }
    return Notice(accessed.owner_id, event.id, NotificationType.SHARE_ACCESSED, payload)


def _share_guessed(event: RecordedEvent) -> Notice:
    guessed = ShareGuessed.model_validate(event.payload)
    payload = {"linkId": guessed.link_id, "nodeId": guessed.node_id, "name": guessed.name}
    return Notice(guessed.owner_id, event.id, NotificationType.SHARE_GUESSED, payload)


_NOTICES: dict[str, Callable[[RecordedEvent], Notice | None]] = {
    FileReady.event_type: _file_ready,
    FileFailed.event_type: _file_failed,
    FileDamaged.event_type: _file_damaged,
    FileRecovered.event_type: _file_recovered,
    ShareAccessed.event_type: _share_accessed,
    ShareGuessed.event_type: _share_guessed,
}
