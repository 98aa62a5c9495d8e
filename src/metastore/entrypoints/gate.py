"""What happens to every request before and after the application.

* **Request id**: the client's ``X-Request-ID`` when it is sane, else a new one; it is in every answer and log line.
* **Client address**: the peer's, or, when the peer is a configured proxy, the last address in ``X-Forwarded-For`` that
  is not itself one of the proxies. Anything further left could have been written by the client.
* **Cross-site request forgery**: cookies go along with requests that other sites make a browser send. A
  state-changing request is therefore refused when the browser says that it comes from elsewhere (``Sec-Fetch-Site``,
  ``Origin``; OWASP "Verifying Origin With Standard Headers"). Clients that are no browsers send neither header and
  are not affected.
* **Body size**: one that is announced too large is refused before it is read; ``body_limit`` gives the limit in bytes
  for a path. One that only turns out to be is refused by the application while it reads. Either way the server
  takes in the rest of it, for the client to see the answer.
* **Headers** that make browsers careful, unless the answer sets its own.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metastore.kit.context import RequestContext, open_context
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_requests = Counter("metastore_http_requests_total", "Requests answered.", ["method", "route", "status"])
_seconds = Histogram("metastore_http_request_seconds", "Time to answer.", ["method", "route"])


class RequestGate:
    """ASGI middleware; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_origin: str = "",
        trusted_proxies: Sequence[Network] = (),
        body_limit: Callable[[str], int] | None = None,
    ) -> None:
        self._app = app
        self._body_limit = body_limit
        self._public_origin = public_origin
        self._proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context = RequestContext(
            request_id=request_id_of(headers),
            address=self.client_address(scope, headers),
            user_agent=headers.get("user-agent", "")[:300] or None,
            origin=self._public_origin or self._origin_of(scope, headers),
        )
        with open_context(context), structlog.contextvars.bound_contextvars(request_id=context.request_id):
            await self._answer(scope, receive, _with_headers(send, context.request_id), headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        began = time.perf_counter()
        status = 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            problem = self._refusal(scope, headers)
            if problem is not None:
                body = problem.body(scope["path"])
                await JSONResponse(body, problem.status, media_type="application/problem+json")(scope, receive, counted)
            else:
                await self._app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            _requests.labels(scope["method"], route, status).inc()
            _seconds.labels(scope["method"], route).observe(time.perf_counter() - began)

    def _refusal(self, scope: Scope, headers: Headers) -> Problem | None:
        if self._is_forged(scope["method"], headers):
            return Problem(403, ProblemCode.CROSS_SITE_REQUEST, "This request came from another site.")
        length = headers.get("content-length", "")
        limit = self._body_limit(scope["path"]) if self._body_limit else None
        if limit is not None and length.isdecimal() and int(length) > limit:
            return Problem(413, ProblemCode.BODY_TOO_LARGE, f"The body can have at most {limit} bytes.", limit=limit)
        return None

    def client_address(self, scope: Scope, headers: Headers) -> str | None:
        """Where the request comes from; see the module."""
        client = scope.get("client")
        peer: str | None = client[0] if client else None
        if peer is None or not self._is_proxy(peer):
            return peer
        for hop in reversed([hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]):
            if not self._is_proxy(hop):
                return hop[:64]
        return peer

    def _origin_of(self, scope: Scope, headers: Headers) -> str:
        scheme = scope.get("scheme", "http")
        client = scope.get("client")
        if client and self._is_proxy(client[0]) and headers.get("x-forwarded-proto") in ("http", "https"):
            scheme = headers["x-forwarded-proto"]
        return f"{scheme}://{headers['host']}" if "host" in headers else ""

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def _is_forged(self, method: str, headers: Headers) -> bool:
        if method in _SAFE_METHODS:
            return False
        site = headers.get("sec-fetch-site", "none")
        origin = headers.get("origin")
        if site != "cross-site" and origin is not None:
            return not is_own_origin(origin, headers.get("host", ""), self._public_origin)
        return site in ("cross-site", "same-site")


def is_own_origin(origin: str, host: str, public_origin: str) -> bool:
    """Whether a page of that ``Origin`` is ours: the public origin, or the very host that was asked."""
    if public_origin:
        return origin.lower() == public_origin.lower()
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()


def request_id_of(headers: Headers) -> str:
    """The client's request id when it is sane, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else new_id()


def with_request_id(send: Send, request_id: str) -> Send:
    """``send`` with the request's id on the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Request-ID"] = request_id
        await send(message)

    return sending


def _with_headers(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return with_request_id(sending, request_id)
