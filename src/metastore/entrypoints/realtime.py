"""The Socket.IO endpoint: who may connect.

A connection is refused before it costs anything when it comes from a page of another origin: WebSockets and polling
carry cookies whatever page opens them. Then the client's CONNECT is answered by the same check as every HTTP request,
on the same cookie. A refusal tells why by its ``message``, a problem code of the API (``token-expired``: refresh, then
connect again; ``not-authenticated``; ``account-suspended``), and in words by ``data.detail``.
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

from metastore.entrypoints.gate import is_own_origin, request_id_of, with_request_id
from metastore.features.auth.schemas import Caller
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.ports.realtime import session_room, user_room

Authenticate = Callable[[Mapping[str, str]], Awaitable[Caller]]
"""The caller behind a request's cookies (names to values), or a ``Problem``."""


def create_realtime_app(
    server: socketio.AsyncServer, authenticate: Authenticate, allowed_origins: Sequence[str] = ()
) -> ASGIApp:
    """The ASGI application for ``/socket.io``.

    ``allowed_origins`` are those that people use; when there is none, the host that was asked is the one.
    """

    async def connect(socket: str, environ: Mapping[str, Any], _auth: object = None) -> None:
        cookies = HTTPConnection(environ["asgi.scope"]).cookies
        caller = await _admitted(authenticate, cookies)
        await server.enter_room(socket, user_room(caller.id))
        await server.enter_room(socket, session_room(caller.session_id))
        # Once more: a session that ended between the first look and the rooms was not found in them by who ended it.
        await _admitted(authenticate, cookies)

    server.on("connect", connect)
    sockets = socketio.ASGIApp(server, socketio_path="socket.io")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        named = with_request_id(send, request_id_of(headers))
        if _is_foreign(headers, allowed_origins):
            await _refuse(scope, receive, named)
        else:
            await sockets(scope, receive, named)

    return application


async def _admitted(authenticate: Authenticate, cookies: Mapping[str, str]) -> Caller:
    try:
        return await authenticate(cookies)
    except Problem as problem:
        raise Refused(problem.code, {"code": problem.code, "detail": problem.detail}) from None


def _is_foreign(headers: Headers, allowed_origins: Sequence[str]) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        host = headers.get("host", "")
        return not any(is_own_origin(origin, host, own) for own in allowed_origins or [""])
    # Browsers leave the Origin out of same-origin GETs; what they then say is where the request comes from.
    return headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
        return
    problem = Problem(403, ProblemCode.CROSS_SITE_REQUEST, "This request came from another site.")
    answer = JSONResponse(problem.body(scope["path"]), problem.status, media_type="application/problem+json")
    await answer(scope, receive, send)
