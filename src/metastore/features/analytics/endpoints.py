"""HTTP endpoints of analytics, for admins: ``/api/v1/admin/analytics``."""

from typing import Annotated

from fastapi import Query

from metastore.features.analytics.schemas import AnalyticsOut, AnalyticsQuery
from metastore.features.analytics.service import AnalyticsService
from metastore.features.auth.access import AdminUser
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.router import PrefixRouter

router = PrefixRouter(prefix="/api/v1/admin/analytics", tags=["admin"])

Analytics = Annotated[AnalyticsService, provided(AnalyticsService)]


@router.get("")
async def show_analytics(
    _caller: AdminUser, query: Annotated[AnalyticsQuery, Query()], analytics: Analytics, database: Transactions
) -> AnalyticsOut:
    """Return the usage of each day of a period, both ends included."""
    async with database.reading() as tx:
        return await analytics.report(tx, query)
