"""The Socket.IO endpoint and its authentication.

Connections from pages of another origin are refused first, since WebSockets and polling carry cookies no matter which
page opens them. The client's CONNECT packet is then authenticated by the cookie, like every HTTP request. A refusal has
a problem code of the API as its ``message`` (``token-expired``: refresh and connect again; ``not-authenticated``;
``account-suspended``), and a sentence in ``data.detail``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from metastore.entrypoints.middleware import is_own_origin, request_id_of, with_request_id
from metastore.features.auth.schemas import Caller
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.realtime import session_room, user_room

if TYPE_CHECKING:
    import socketio  # type: ignore[import-untyped]  # the package has no types

Authenticate = Callable[[Mapping[str, str]], Awaitable[Caller]]
"""Return the caller of a request with these cookies. Raises ``Problem`` if the caller is not authenticated."""


def create_realtime_app(
    server: "Callable[[], socketio.AsyncServer]", authenticate: Authenticate, allowed_origins: Sequence[str] = ()
) -> ASGIApp:
    """Return the ASGI application for ``/socket.io``.

    ``server`` is called when the first client connects, in a thread, because importing the library takes long.
    ``allowed_origins`` are the public origins of the product. If empty, the origin must match the Host header.
    """
    sockets = _Sockets(server, authenticate)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        with_id = with_request_id(send, request_id_of(headers))
        if _is_foreign(headers, allowed_origins):
            await _refuse(scope, receive, with_id)
        else:
            await (await sockets.app())(scope, receive, with_id)

    return application


class _Sockets:
    """The Socket.IO application, made for the first client."""

    def __init__(self, server: "Callable[[], socketio.AsyncServer]", authenticate: Authenticate) -> None:
        self._server = server
        self._authenticate = authenticate
        self._lock = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def app(self) -> ASGIApp:
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            return self._app

    def _make(self) -> ASGIApp:
        import socketio  # noqa: PLC0415  for the first client

        server = self._server()
        server.on("connect", self._connect)
        app: ASGIApp = socketio.ASGIApp(server, socketio_path="socket.io")
        return app

    async def _connect(self, socket: str, environ: Mapping[str, Any], _auth: object = None) -> None:
        cookies = HTTPConnection(environ["asgi.scope"]).cookies
        caller = await self._authenticated(cookies)
        server = self._server()
        await server.enter_room(socket, user_room(caller.id))
        await server.enter_room(socket, session_room(caller.session_id))
        # Again: a session revoked after the first check, but before it entered the rooms, was not disconnected.
        await self._authenticated(cookies)

    async def _authenticated(self, cookies: Mapping[str, str]) -> Caller:
        from socketio.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415  the package has no types
            ConnectionRefusedError as Refused,
        )

        try:
            return await self._authenticate(cookies)
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
