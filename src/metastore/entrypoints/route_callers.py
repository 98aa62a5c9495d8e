"""Every route says who may call it, or the application does not start.

``create_app`` calls ``require_callers`` when all routes have been added. ``features.auth.access`` has what a route can
depend on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from metastore.config import ConfigurationError
from metastore.features.auth.access import RouteCaller, callers_declared_by

OUTSIDE: Mapping[str, str] = {
    "/objects/…": "The data plane: the signature of a presigned URL permits one operation on one object.",
    "/socket.io": "Live messages: the client's CONNECT packet is authenticated by the cookie, like a request.",
    "/openapi.json": "The description of the API, the same for everyone.",
    "/docs": "A page that shows the description.",
    "/docs/oauth2-redirect": "Part of that page.",
    "/static-offline-docs": "Scripts and styles of that page.",
    "/assets": "Files of the built web app, the same for everyone.",
}
"""What answers requests without being a route of ours, by path, and why anyone may call it."""


class UndeclaredCallersError(ConfigurationError):
    """A route does not say who may call it. The message is one line that names the route."""


class Route(NamedTuple):
    """A route of the application."""

    path: str
    methods: tuple[str, ...]
    caller: RouteCaller


def require_callers(app: FastAPI) -> None:
    """Check that every route depends on exactly one marker (``RouteCaller``).

    Raises:
        UndeclaredCallersError: a route does not.
    """
    for _ in routes_of(app):
        pass


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Yield all routes but those in ``OUTSIDE``.

    Raises:
        UndeclaredCallersError: a route depends on none, or on several, of what says who may call it.
    """
    for path, route in _flattened(app.routes):
        if path not in OUTSIDE:
            methods = tuple(sorted(getattr(route, "methods", None) or ()))
            yield Route(path, methods, _caller_of(route, f"{' '.join(methods) or 'ANY'} {path}"))


def _flattened(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, BaseRoute]]:
    """Yield the routes, and those of included routers, with their whole paths.

    FastAPI's ``iter_route_contexts`` would do, but prepares every route to be called, which takes 30 ms of each start.
    """
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield prefix + getattr(route, "path", ""), route
        else:
            yield from _flattened(included.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]


def _caller_of(route: BaseRoute, name: str) -> RouteCaller:
    declared = callers_declared_by(route.dependant) if isinstance(route, APIRoute) else set()
    if len(declared) != 1:
        found = " and ".join(sorted(declared)) or "none"
        raise UndeclaredCallersError(
            f"{name} must depend on exactly one of {', '.join(RouteCaller)}; it depends on {found}"
        )
    return declared.pop()
