"""ASGI middleware around the HTTP API.

* **Request id**: the client's ``X-Request-ID`` if it is valid, otherwise a new one. Every response and log line has it.
* **Client address**: the peer's address. If the peer is a trusted proxy, the last address in ``X-Forwarded-For`` that
  is not a trusted proxy itself; the client could have forged those before it.
* **Cross-site request forgery**: browsers send cookies with requests from other sites. A state-changing request is
  refused if the browser reports that it comes from another site (``Sec-Fetch-Site``, ``Origin``; OWASP "Verifying
  Origin With Standard Headers"). Clients other than browsers send neither header and are not affected.
* **Body size**: a body whose announced length exceeds the limit is refused before it is read. The application refuses
  one without an announced length while reading it. In both cases the server reads the rest, so that the client sees the
  response.
* **Security headers**, unless the response sets its own.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metastore.kit.context import RequestContext, open_context
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VALID_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_COMMON_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
_requests = Counter("metastore_http_requests_total", "HTTP requests.", ["method", "route", "status"])
_seconds = Histogram("metastore_http_request_seconds", "Duration of HTTP requests.", ["method", "route"])


class RequestMiddleware:
    """Wraps the HTTP API with everything that this module describes.

    Args:
        app: The application.
        public_origin: The origin of the product, if configured.
        trusted_proxies: Networks whose ``X-Forwarded-For`` is trusted.
        body_limit: Returns the maximum size in bytes of a body sent to a path.
    """

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
        self._is_proxy = lru_cache(maxsize=1024)(self._is_in_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
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
            await self._respond(scope, receive, _with_headers(send, context.request_id), headers)

    async def _respond(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
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
        """Return the client address, taking trusted proxies into account."""
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

    def _is_in_proxies(self, address: str) -> bool:
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
    """Return whether ``origin`` is the public origin or, without one, matches the Host header."""
    if public_origin:
        return origin.lower() == public_origin.lower()
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()


def request_id_of(headers: Headers) -> str:
    """Return the client's request id if it is valid, otherwise a new one."""
    given = headers.get("x-request-id", "")
    return given if _VALID_ID.fullmatch(given) else new_id()


def with_request_id(send: Send, request_id: str) -> Send:
    """Wrap ``send`` so that the response has the request id."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Request-ID"] = request_id
        await send(message)

    return sending


def _with_headers(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
            names = {name.lower() for name, _ in given}
            common = [pair for pair in _COMMON_HEADERS if pair[0] not in names]
            message["headers"] = [*given, *common, (b"x-request-id", request_id.encode())]
        await send(message)

    return sending
