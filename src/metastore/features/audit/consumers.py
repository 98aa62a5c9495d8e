"""The audit trail hears every fact."""

from metastore.features.audit.service import AuditService
from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.database import Transaction
from metastore.kit.outbox import RecordedEvent


def consumers(audit: AuditService) -> list[Consumer]:
    """The feature's consumers."""

    async def on_any(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        await audit.write_down(tx, event)
        return None

    return [Consumer("audit", every=on_any)]
