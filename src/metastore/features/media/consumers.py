"""What the media feature does when it hears of facts: begin early, and stop when there is nothing left to do it for."""

from collections.abc import Callable

from metastore.features.files.events import FilePurged, FileUploaded
from metastore.features.files.processing import INGEST
from metastore.features.media import repository
from metastore.kit import saga
from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.database import Transaction
from metastore.kit.outbox import RecordedEvent


def consumers(wake: Callable[[], None]) -> list[Consumer]:
    """The feature's consumers; ``wake`` has this process look for due sagas."""

    async def on_file_uploaded(_event: RecordedEvent) -> None:
        """The saga is due already; without this it would be found a moment later."""
        wake()

    async def on_file_purged(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        file_id = FilePurged.model_validate(event.payload).file_id
        if not await saga.cancel(tx, INGEST, file_id, error="file purged"):
            await saga.forget(tx, INGEST, file_id)
        await repository.forget(tx, file_id)

        async def follow() -> None:
            wake()

        return follow

    return [
        Consumer(
            "media",
            in_transaction={FilePurged.event_type: on_file_purged},
            outside={FileUploaded.event_type: on_file_uploaded},
        )
    ]
