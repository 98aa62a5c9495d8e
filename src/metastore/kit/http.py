"""Services as dependencies of HTTP endpoints.

``bootstrap`` creates every service once and registers it by its type. An endpoint declares the type that it needs::

    Files = Annotated[FilesService, provided(FilesService)]

    @router.get("/files/{file_id}")
    async def get_file(file_id: str, files: Files) -> FileOut: ...
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from metastore.kit.database import Database

Service = TypeVar("Service")


class Services:
    """A registry of services, one of each type."""

    def __init__(self) -> None:
        self._by_type: dict[type, object] = {}

    def add(self, service: object, *, as_type: type | None = None) -> None:
        """Register ``service`` under its own type or ``as_type``, such as a Protocol."""
        self._by_type[as_type or type(service)] = service

    def get(self, kind: type[Service]) -> Service:
        """Return the service of that type.

        Raises:
            LookupError: none was registered.
        """
        try:
            return self._by_type[kind]  # type: ignore[return-value]  # add() keeps type and value together
        except KeyError:
            raise LookupError(f"no {kind.__name__} was registered") from None


def provided(kind: type[Service]) -> Any:  # noqa: ANN401  FastAPI's own type for a dependency
    """Return a FastAPI dependency on the registered service of that type."""
    return Depends(_provider(kind))


def _provider(kind: type[Service]) -> Callable[[Request], Awaitable[Service]]:
    # A coroutine function, because FastAPI runs other dependencies in threads.
    async def provide(request: Request) -> Service:
        services: Services = request.app.state.services
        return services.get(kind)

    return provide


Transactions = Annotated[Database, provided(Database)]
"""The database on which an endpoint opens its transaction."""
