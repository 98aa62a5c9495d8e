"""Routes for visitors of share links: their marker, and the cookie that carries a visitor's grant.

The cookie is sent to the routes below its link only. Like those of sessions it is ``HttpOnly`` and, over HTTPS,
``Secure`` with a name prefix; it is ``SameSite=Strict``, since nothing of another site has to show what a link leads
to. A grant that is more than five minutes old is renewed by any request: its successor is set as the cookie.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from metastore.features.auth.access import RouteCaller, marks
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.features.sharing.public.service import Visit, VisitsService
from metastore.features.sharing.public.visitor_grants import LIFETIME, VisitorGrant
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.kit.services import Services

PATH = "/api/v1/share-links/token/"
_HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_bearer = HTTPBearer(scheme_name="visitor", description="The grant of a share link.", auto_error=False)


async def _presented_grant(
    request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> str | None:
    if bearer is not None:
        return bearer.credentials
    services: Services = request.app.state.services
    return request.cookies.get(_name(secure=services.get(SessionCookies).secure))


PresentedGrant = Annotated[str | None, Depends(_presented_grant)]
"""The grant that a request carries, valid or not."""


@marks(RouteCaller.VISITOR)
async def _current_visit(request: Request, token: str, grant: PresentedGrant) -> Visit:
    services: Services = request.app.state.services
    async with services.get(Database).reading() as tx:
        visit = await services.get(VisitsService).enter(tx, token, grant)
    if visit.renewed is not None:
        request.state.renewed_grant = visit.renewed
    return visit


CurrentVisit = Annotated[Visit, Depends(_current_visit)]
"""The visit of who has opened the link; the response is 401 ``link-access-required`` without a valid grant."""


class VisitorRoute(APIRoute):
    """A route below a share link's token. Responses are not stored, and pages that they lead to learn no URL.

    ``put_grant`` sets the visitor's cookie on the response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, wrapped to add the headers."""
        handle = super().get_route_handler()

        async def handle_visit(request: Request) -> Response:
            try:
                response = await handle(request)
            except Problem as problem:
                problem.headers.update(_HEADERS)
                raise
            response.headers.update(_HEADERS)
            grant: VisitorGrant | None = getattr(request.state, "renewed_grant", None)
            if grant is not None:
                _set_cookie(request, response, grant)
            return response

        return handle_visit


def put_grant(request: Request, grant: VisitorGrant) -> None:
    """Have the response set the cookie of a new grant."""
    request.state.renewed_grant = grant


def _set_cookie(request: Request, response: Response, grant: VisitorGrant) -> None:
    services: Services = request.app.state.services
    secure = services.get(SessionCookies).secure
    response.set_cookie(
        _name(secure=secure),
        grant.token,
        max_age=int(LIFETIME.total_seconds()),
        path=PATH + request.path_params["token"],
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _name(*, secure: bool) -> str:
    return "__Secure-share_grant" if secure else "share_grant"
