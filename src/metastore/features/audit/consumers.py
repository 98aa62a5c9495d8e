"""The consumer that appends every event to the audit trail."""

from metastore.features.audit.service import AuditService
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent


def consumers(audit: AuditService) -> list[Consumer]:
    """Return the feature's consumers."""

    async def on_any(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        await audit.append(tx, event)
        return None

    return [Consumer("audit", every=on_any)]
