"""HTTP endpoints of the audit trail, for admins: ``/api/v1/admin/audit-logs``."""

from typing import Annotated

from fastapi import Query

from metastore.features.audit.schemas import AuditLogOut, AuditQuery
from metastore.features.audit.service import AuditService
from metastore.features.auth.access import AdminUser
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Page
from metastore.kit.api.router import PrefixRouter

router = PrefixRouter(prefix="/api/v1/admin/audit-logs", tags=["admin"])

Audit = Annotated[AuditService, provided(AuditService)]


@router.get("")
async def list_audit_logs(
    _caller: AdminUser, query: Annotated[AuditQuery, Query()], audit: Audit, database: Transactions
) -> Page[AuditLogOut]:
    """List the audit trail, latest first, filtered by actor, action, resource and time."""
    async with database.reading() as tx:
        return await audit.page(tx, query)
