"""The Socket.IO endpoint and its authentication.

Connections from pages of another origin are refused first, since WebSockets and polling carry cookies no matter which
page opens them. The client's CONNECT packet is then authenticated by the cookie, like every HTTP request. A refusal has
a problem code of the API as its ``message`` (``token-expired``: refresh and connect again; ``not-authenticated``;
``account-suspended``), and a sentence in ``data.detail``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import socketio  # type: ignore[import-untyped]  # the package has no types
from socketio.exceptions import (  # type: ignore[import-untyped]  # the package has no types
    ConnectionRefusedError as Refused,
)
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from metastore.entrypoints.middleware import is_own_origin, request_id_of, with_request_id
from metastore.features.auth.schemas import Caller
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.realtime import session_room, user_room

Authenticate = Callable[[Mapping[str, str]], Awaitable[Caller]]
"""Return the caller of a request with these cookies. Raises ``Problem`` if the caller is not authenticated."""


def create_realtime_app(
    server: socketio.AsyncServer, authenticate: Authenticate, allowed_origins: Sequence[str] = ()
) -> ASGIApp:
    """Return the ASGI application for ``/socket.io``.

    ``allowed_origins`` are the public origins of the product. If empty, the origin must match the Host header.
    """

    async def connect(socket: str, environ: Mapping[str, Any], _auth: object = None) -> None:
        cookies = HTTPConnection(environ["asgi.scope"]).cookies
        caller = await _authenticated(authenticate, cookies)
        await server.enter_room(socket, user_room(caller.id))
        await server.enter_room(socket, session_room(caller.session_id))
        # Again: a session revoked after the first check, but before it entered the rooms, was not disconnected.
        await _authenticated(authenticate, cookies)

    server.on("connect", connect)
    sockets = socketio.ASGIApp(server, socketio_path="socket.io")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        with_id = with_request_id(send, request_id_of(headers))
        if _is_foreign(headers, allowed_origins):
            await _refuse(scope, receive, with_id)
        else:
            await sockets(scope, receive, with_id)

    return application


async def _authenticated(authenticate: Authenticate, cookies: Mapping[str, str]) -> Caller:
    try:
        return await authenticate(cookies)
    except Problem as problem:
        raise Refused(problem.code, {"code": problem.code, "detail": problem.detail}) from None


def _is_foreign(headers: Headers, allowed_origins: Sequence[str]) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        host = headers.get("host", "")
        return not any(is_own_origin(origin, host, own) for own in allowed_origins or [""])
    # Browsers omit Origin from same-origin GETs, and send Sec-Fetch-Site instead.
    return headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
        return
    problem = Problem(403, ProblemCode.CROSS_SITE_REQUEST, "This request came from another site.")
    response = JSONResponse(problem.body(scope["path"]), problem.status, media_type="application/problem+json")
    await response(scope, receive, send)
