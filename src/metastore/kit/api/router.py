"""Routers that are skipped for paths which are not theirs."""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class PrefixRouter(APIRouter):
    """A router that is skipped at once for a path that begins like none of its routes.

    FastAPI tries the routes of all routers one after the other, which takes longer than many a request. Include it in
    the application itself, without another prefix: it compares whole paths.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how a route matches the request, and what it found in the path."""
        if not scope["path"].startswith(self._beginnings()):
            return Match.NONE, {}
        return super().matches(scope)

    def _beginnings(self) -> tuple[str, ...]:
        """Return how the paths of the routes begin, up to their first parameter."""
        if self._known != len(self.routes):
            paths = {getattr(route, "path", self.prefix).partition("{")[0] for route in self.routes}
            self._found = tuple(path for path in paths if not any(path != p and path.startswith(p) for p in paths))
            self._known = len(self.routes)
        return self._found

    _known = -1
    _found: tuple[str, ...] = ()
