"""HTTP of analytics: ``/api/v1/admin/analytics``, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query

from metastore.features.analytics.schemas import AnalyticsOut, AnalyticsQuery
from metastore.features.analytics.service import AnalyticsService
from metastore.features.auth.access import AdminCaller
from metastore.kit.http import Transactions, provided

router = APIRouter(prefix="/api/v1/admin/analytics", tags=["admin"])

Analytics = Annotated[AnalyticsService, provided(AnalyticsService)]


@router.get("")
async def show_analytics(
    _caller: AdminCaller, wanted: Annotated[AnalyticsQuery, Query()], analytics: Analytics, database: Transactions
) -> AnalyticsOut:
    """What happened on each day, from a day up to and with another."""
    async with database.reading() as tx:
        return await analytics.report(tx, wanted)
