"""Who may call a route: every route depends on exactly one *marker*: ``Public``, ``CurrentUser`` or ``AdminUser``.

A feature above can declare a marker of its own with ``marks``, as sharing does for visitors of links.

::

    @router.get("/files/{file_id}")
    async def get_file(caller: CurrentUser, file_id: str) -> FileOut: ...

The application does not start with any other route (``entrypoints.route_callers``). ``docs/access.md`` lists them all.

Every request of a signed-in user reads the session and its user, in one statement. Signing out, revoking a session and
suspending a user therefore take effect at once, even if the access token is still valid.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie

from metastore.features.auth.repository import SessionUser
from metastore.features.auth.schemas import Caller, UserOut
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.kit.api.dependencies import provided
from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.services import Services

Dependable = TypeVar("Dependable", bound=Callable[..., Any])
Auth = Annotated[AuthService, provided(AuthService)]
Cookies = Annotated[SessionCookies, provided(SessionCookies)]

# Only for the OpenAPI description; ``SessionCookies`` knows the cookie's actual name and reads it.
_openapi_scheme = APIKeyCookie(name="access_token", scheme_name="session", auto_error=False)


async def authenticate(
    auth: AuthService, cookies: SessionCookies, database: Database, request_cookies: Mapping[str, str]
) -> Caller:
    """Return the caller authenticated by the cookies of an HTTP or socket request.

    Raises:
        Problem: 401 ``not-authenticated`` or ``token-expired``; 403 ``account-suspended``.
    """
    user, session_id = await _session_user(auth, cookies, database, request_cookies)
    return _caller(user, session_id)


async def _session_user(
    auth: AuthService, cookies: SessionCookies, database: Database, request_cookies: Mapping[str, str]
) -> tuple[SessionUser, str]:
    claims = auth.read_access_token(cookies.access_token(request_cookies))
    async with database.reading() as tx:
        return await auth.session_user(tx, claims), claims.session_id


def _caller(user: SessionUser, session_id: str) -> Caller:
    return Caller(user.id, user.username, user.display_name, user.role, session_id)


async def _current_session(
    request: Request, _cookie: Annotated[str | None, Security(_openapi_scheme)]
) -> tuple[SessionUser, str]:
    # One dependency instead of one for each service: every request takes this path.
    services: Services = request.app.state.services
    found = await _session_user(
        services.get(AuthService), services.get(SessionCookies), services.get(Database), request.cookies
    )
    context = current_context()
    if context is not None:
        context.actor_id = found[0].id
    return found


_CurrentSession = Annotated[tuple[SessionUser, str], Depends(_current_session)]


async def _current_caller(session: _CurrentSession) -> Caller:
    return _caller(*session)


async def _current_user(session: _CurrentSession) -> UserOut:
    return UserOut.model_validate(session[0])


async def _anyone() -> None:
    """Require nothing."""


Public = Annotated[None, Depends(_anyone)]
"""Anyone may call the route. It checks by itself what else proves that a request is allowed, such as a token."""

CurrentUser = Annotated[Caller, Depends(_current_caller)]
"""The signed-in user; the response is 401 if nobody is signed in, 403 if the user is suspended."""

CurrentAccount = Annotated[UserOut, Depends(_current_user)]
"""``CurrentUser`` for the endpoint that returns the account itself."""


async def _admin_caller(caller: CurrentUser) -> Caller:
    if not caller.is_admin:
        raise Problem(403, ProblemCode.ADMIN_REQUIRED, "Only administrators may do this.")
    return caller


AdminUser = Annotated[Caller, Depends(_admin_caller)]
"""The signed-in admin; the response for other users is 403 ``admin-required``."""


class RouteCaller(StrEnum):
    """Who may call a route, by the name of what the route depends on."""

    PUBLIC = "Public"
    USER = "CurrentUser"
    ADMIN = "AdminUser"
    VISITOR = "CurrentVisit"


_CALLERS: dict[object, RouteCaller] = {
    _anyone: RouteCaller.PUBLIC,
    _current_caller: RouteCaller.USER,
    _current_user: RouteCaller.USER,
    _admin_caller: RouteCaller.ADMIN,
}


def marks(caller: RouteCaller) -> Callable[[Dependable], Dependable]:
    """Return a decorator of a dependency: a route that depends on it may be called by ``caller``."""

    def declare(dependency: Dependable) -> Dependable:
        _CALLERS[dependency] = caller
        return dependency

    return declare


class Dependency(Protocol):
    """What FastAPI calls for a route or a parameter, with what that depends on in turn."""

    @property
    def call(self) -> Callable[..., object] | None:
        """The function that is called."""
        ...

    @property
    def dependencies(self) -> "Sequence[Dependency]":
        """What its parameters depend on."""
        ...


def callers_declared_by(dependency: Dependency) -> set[RouteCaller]:
    """Return who may call a route with that dependency: one for a valid route."""
    if dependency.call in _CALLERS:
        return {_CALLERS[dependency.call]}
    return {caller for each in dependency.dependencies for caller in callers_declared_by(each)}
