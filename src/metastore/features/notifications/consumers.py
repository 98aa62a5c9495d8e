"""Consumers that notify users of events and close the sockets of revoked sessions."""

from metastore.features.auth.events import SessionRevoked
from metastore.features.files.events import FileDamaged, FileFailed, FileReady, FileRecovered
from metastore.features.notifications.messages import NotificationType
from metastore.features.notifications.service import NotificationsService
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.realtime import Realtime


def consumers(notifications: NotificationsService, realtime: Realtime) -> list[Consumer]:
    """Return the feature's consumers.

    Closing sockets is a consumer of its own, so that a sign-out does not wait behind notifications.
    """

    async def on_file_ready(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        ready = FileReady.model_validate(event.payload)
        return await notifications.create_and_dispatch(
            tx,
            user_id=ready.owner_id,
            event_id=event.id,
            notification_type=NotificationType.FILE_READY,
            payload={
                "fileId": ready.file_id,
                "name": ready.name,
                "path": ready.path,
                "size": ready.size,
                "mimeType": ready.mime_type,
            },
        )

    async def on_file_failed(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        failed = FileFailed.model_validate(event.payload)
        return await notifications.create_and_dispatch(
            tx,
            user_id=failed.owner_id,
            event_id=event.id,
            notification_type=NotificationType.FILE_FAILED,
            payload={
                "fileId": failed.file_id,
                "name": failed.name,
                "step": failed.step,
                "reason": failed.reason,
                "reasonCode": failed.reason_code.value if failed.reason_code else None,
                "retryable": failed.retryable,
            },
        )

    async def on_file_damaged(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        damaged = FileDamaged.model_validate(event.payload)
        return await notifications.create_and_dispatch(
            tx,
            user_id=damaged.owner_id,
            event_id=event.id,
            notification_type=NotificationType.FILE_DAMAGED,
            payload={"fileId": damaged.file_id, "name": damaged.name, "reason": damaged.reason},
        )

    async def on_file_recovered(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        recovered = FileRecovered.model_validate(event.payload)
        return await notifications.create_and_dispatch(
            tx,
            user_id=recovered.owner_id,
            event_id=event.id,
            notification_type=NotificationType.FILE_RECOVERED,
            payload={"fileId": recovered.file_id, "name": recovered.name},
        )

    async def on_session_revoked(event: RecordedEvent) -> None:
        await realtime.close_session(SessionRevoked.model_validate(event.payload).session_id)

    return [
        Consumer(
            "notifications",
            in_transaction={
                FileReady.event_type: on_file_ready,
                FileFailed.event_type: on_file_failed,
                FileDamaged.event_type: on_file_damaged,
                FileRecovered.event_type: on_file_recovered,
            },
        ),
        Consumer("sockets", outside={SessionRevoked.event_type: on_session_revoked}),
    ]
