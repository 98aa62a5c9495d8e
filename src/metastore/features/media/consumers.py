"""What the media feature does when it hears of facts: begin early, and stop when there is nothing left to do it for."""

from collections.abc import Callable

from metastore.features.files.events import FilePurged, FileUploaded
from metastore.features.media.events import MediaDropped
from metastore.features.media.service import MediaService
from metastore.kit.consumer import Consumer
from metastore.kit.outbox import RecordedEvent


def consumers(media: MediaService, wake: Callable[[], None]) -> list[Consumer]:
    """The feature's consumers; ``wake`` has this process look for due sagas."""

    async def on_file_uploaded(_event: RecordedEvent) -> None:
        """The saga is due already; without this it would be found a moment later."""
        wake()

    async def on_file_purged(event: RecordedEvent) -> None:
        await media.remove(FilePurged.model_validate(event.payload).file_id)
        wake()

    async def on_media_dropped(event: RecordedEvent) -> None:
        await media.free(MediaDropped.model_validate(event.payload))

    return [
        Consumer(
            "media",
            outside={
                FilePurged.event_type: on_file_purged,
                FileUploaded.event_type: on_file_uploaded,
                MediaDropped.event_type: on_media_dropped,
            },
        )
    ]
