"""The consumer that computes the CRC-32 of files that were uploaded in parts.

Files that arrive whole have theirs from the start. What fails here, or is lost with the process, is computed when an
archive needs it.
"""

from collections.abc import Sequence
from functools import partial

from metastore.features.archives.checksums import Checksums
from metastore.features.files.events import FileUploaded
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent


def consumers(checksums: Checksums) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_uploaded(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        uploaded = [FileUploaded.model_validate(event.payload).file_id for event in events]
        missing = await checksums.missing(tx, uploaded)
        return [partial(checksums.compute_all, missing)] if missing else []

    return [Consumer("archives", in_batches={FileUploaded.event_type: on_uploaded})]
