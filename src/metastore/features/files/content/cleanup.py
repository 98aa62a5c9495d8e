"""The consumer of the files feature: it deletes the objects of purged files."""

from metastore.features.files.events import FilePurged
from metastore.kit.events.consumer import Consumer
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.object_store import ObjectStore


def consumers(store: ObjectStore) -> list[Consumer]:
    """Return the feature's consumers."""

    async def delete_object(event: RecordedEvent) -> None:
        purged = FilePurged.model_validate(event.payload)
        # A file that was still uploading has no object; the uploads feature aborts its upload.
        if purged.object_key is not None:
            await store.delete([purged.object_key, *purged.derived_keys])

    return [Consumer("files", outside={FilePurged.event_type: delete_object})]
