"""The consumer that appends every event to the audit trail."""

from collections.abc import Sequence

from metastore.features.audit.service import AuditService
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent


def consumers(audit: AuditService) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_any(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        await audit.append(tx, *events)
        return ()

    return [Consumer("audit", every_in_batches=on_any)]
