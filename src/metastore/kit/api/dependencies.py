"""FastAPI dependencies of endpoints: services by type, and the database.

``bootstrap`` creates every service once and registers it by its type. An endpoint declares the type that it needs::

    Files = Annotated[FilesService, provided(FilesService)]

    @router.get("/files/{file_id}")
    async def get_file(file_id: str, files: Files) -> FileOut: ...
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from metastore.kit.database.unit_of_work import Database
from metastore.kit.services import Service, Services


def provided(kind: type[Service]) -> Any:  # noqa: ANN401  FastAPI's own type for a dependency
    """Return a FastAPI dependency that yields the registered service of type ``kind``."""
    return Depends(_provider(kind))


def _provider(kind: type[Service]) -> Callable[[Request], Awaitable[Service]]:
    # A coroutine function although it awaits nothing: FastAPI runs plain functions in a thread.
    async def provide(request: Request) -> Service:
        services: Services = request.app.state.services
        return services.get(kind)

    return provide


Transactions = Annotated[Database, provided(Database)]
"""The database, on which an endpoint opens its transaction."""
