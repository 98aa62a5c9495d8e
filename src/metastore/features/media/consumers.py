"""Consumers of the media feature: delete derived objects that are obsolete, and wake the sagas of purged files."""

from collections.abc import Callable

from metastore.features.files.events import FilePurged
from metastore.features.media.objects.events import MediaDropped
from metastore.features.media.service import MediaService
from metastore.kit.events.consumer import Consumer
from metastore.kit.events.outbox import RecordedEvent


def consumers(media: MediaService, wake: Callable[[], None]) -> list[Consumer]:
    """Return the feature's consumers; ``wake`` makes this process look for due sagas."""

    async def on_file_purged(event: RecordedEvent) -> None:
        await media.delete_derived(FilePurged.model_validate(event.payload).file_id)
        wake()

    async def on_media_dropped(event: RecordedEvent) -> None:
        await media.delete_dropped(MediaDropped.model_validate(event.payload))

    return [
        Consumer(
            "media",
            outside={
                FilePurged.event_type: on_file_purged,
                MediaDropped.event_type: on_media_dropped,
            },
        )
    ]
