"""Who is calling: the dependencies by which endpoints demand a signed-in user or an admin.

::

    @router.get("/files/{file_id}")
    async def get_file(caller: CurrentCaller, file_id: str) -> FileOut: ...

Session and user are looked up on every request, in one statement: signing out, ending a session and suspending a user
take effect at once, whatever an access token says.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie

from metastore.features.auth.cookies import SessionCookies
from metastore.features.auth.schemas import Caller
from metastore.features.auth.service import AuthService
from metastore.kit.context import current_context
from metastore.kit.database import Database
from metastore.kit.http import Transactions, provided
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode

Auth = Annotated[AuthService, provided(AuthService)]
Cookies = Annotated[SessionCookies, provided(SessionCookies)]

# Puts the cookie into the API's description; the value is read by ``SessionCookies``, which knows its name.
_described = APIKeyCookie(name="access_token", scheme_name="session", auto_error=False)


async def authenticate(
    auth: AuthService, cookies: SessionCookies, database: Database, sent: Mapping[str, str]
) -> Caller:
    """The caller behind the cookies ``sent`` (names to values) with an HTTP or socket request.

    Raises:
        Problem: 401 ``not-authenticated`` or ``token-expired``; 403 ``account-suspended``.
    """
    claims = auth.read_access_token(cookies.access_token(sent))
    async with database.reading() as tx:
        return await auth.caller(tx, claims)


async def _current_caller(
    request: Request,
    auth: Auth,
    cookies: Cookies,
    database: Transactions,
    _described: Annotated[str | None, Security(_described)],
) -> Caller:
    caller = await authenticate(auth, cookies, database, request.cookies)
    context = current_context()
    if context is not None:
        context.actor_id = caller.id
    return caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]
"""The signed-in user; anybody else gets 401, a suspended user 403."""


async def _admin_caller(caller: CurrentCaller) -> Caller:
    if not caller.is_admin:
        raise Problem(403, ProblemCode.ADMIN_REQUIRED, "Only administrators may do this.")
    return caller


AdminCaller = Annotated[Caller, Depends(_admin_caller)]
"""The signed-in admin; other users get 403 ``admin-required``."""
