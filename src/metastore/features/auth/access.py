"""Authentication: the FastAPI dependencies for endpoints that require a signed-in user or an admin.

::

    @router.get("/files/{file_id}")
    async def get_file(caller: CurrentCaller, file_id: str) -> FileOut: ...

Every request reads the session and its user, in one statement. Signing out, revoking a session and suspending a user
therefore take effect at once, even if the access token is still valid.
"""

from collections.abc import Mapping
from typing import Annotated

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


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
"""The signed-in user; the response is 401 if nobody is signed in, 403 if the user is suspended."""

CurrentUser = Annotated[UserOut, Depends(_current_user)]
"""The account of the signed-in user, for the endpoint that returns it; responses as with ``CurrentCaller``."""


async def _admin_caller(caller: CurrentCaller) -> Caller:
    if not caller.is_admin:
        raise Problem(403, ProblemCode.ADMIN_REQUIRED, "Only administrators may do this.")
    return caller


AdminCaller = Annotated[Caller, Depends(_admin_caller)]
"""The signed-in admin; the response for other users is 403 ``admin-required``."""
