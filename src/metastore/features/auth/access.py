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

from metastore.features.auth.schemas import Caller
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

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
    claims = auth.read_access_token(cookies.access_token(request_cookies))
    async with database.reading() as tx:
        return await auth.caller(tx, claims)


async def _current_caller(
    request: Request,
    auth: Auth,
    cookies: Cookies,
    database: Transactions,
    _cookie: Annotated[str | None, Security(_openapi_scheme)],
) -> Caller:
    caller = await authenticate(auth, cookies, database, request.cookies)
    context = current_context()
    if context is not None:
        context.actor_id = caller.id
    return caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
"""The signed-in user; the response is 401 if nobody is signed in, 403 if the user is suspended."""


async def _admin_caller(caller: CurrentCaller) -> Caller:
    if not caller.is_admin:
        raise Problem(403, ProblemCode.ADMIN_REQUIRED, "Only administrators may do this.")
    return caller


AdminCaller = Annotated[Caller, Depends(_admin_caller)]
"""The signed-in admin; the response for other users is 403 ``admin-required``."""
