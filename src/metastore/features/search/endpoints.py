"""HTTP endpoints of search: ``/api/v1/search``."""

from typing import Annotated

import orjson
from fastapi import Query, Response

from metastore.features.auth.access import CurrentUser
from metastore.features.search.schemas import SearchQuery, SearchResults
from metastore.features.search.service import SearchService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.router import PrefixRouter

router = PrefixRouter(prefix="/api/v1/search", tags=["search"])

Search = Annotated[SearchService, provided(SearchService)]


@router.get("", response_model=SearchResults)
async def search(
    caller: CurrentUser, query: Annotated[SearchQuery, Query()], service: Search, database: Transactions
) -> Response:
    """Search the caller's files and folders by name, type and time of change, latest first."""
    async with database.reading() as tx:
        page = await service.page(tx, caller, query)
    return Response(orjson.dumps(page), media_type="application/json")
