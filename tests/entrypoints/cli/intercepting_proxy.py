"""A proxy between client and server that records requests, and may delay, replace or change them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fixtures.http_server import serving
from tests.fixtures.waiting import eventually

Hook: TypeAlias = Callable[["InterceptedRequest"], Awaitable[Response | None]]
Change: TypeAlias = Callable[["InterceptedRequest", bytes], bytes]

CLIENT_GONE = 499
"""The status recorded for a client that disconnected."""

_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"}


@dataclass
class InterceptedRequest:
    """A recorded request. ``status`` is set when the response is sent."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    status: int | None = None

    @property
    def is_part(self) -> bool:
        """Return whether it uploads a part."""
        return self.method == "PUT" and self.path.startswith("/objects/")

    @property
    def is_fetch(self) -> bool:
        """Return whether it downloads an object."""
        return self.method == "GET" and self.path.startswith("/objects/")


@dataclass
class Proxy:
    """The proxy's address, the recorded requests, and what to do with further ones."""

    server: str
    address: str = ""
    seen: list[InterceptedRequest] = field(default_factory=list)
    dropping: bool = False
    delayed: list[asyncio.Event] = field(default_factory=list)
    before: Hook | None = None
    """Called with each request. It may wait, or return a response in place of the server's."""
    change_up: Change | None = None
    change_down: Change | None = None

    @property
    def parts(self) -> list[InterceptedRequest]:
        """Return the parts that were accepted."""
        return [seen for seen in self.seen if seen.is_part and seen.status == 200]

    @property
    def fetches(self) -> list[str]:
        """Return the ranges that were sent."""
        return [seen.headers["range"] for seen in self.seen if seen.is_fetch and seen.status == 206]

    async def drop_delayed(self) -> None:
        """Drop the delayed requests, and stop delaying."""
        self.before = None
        self.dropping = True
        for release in self.delayed:
            release.set()
        # A disconnect during a body may be detected late.
        await eventually(lambda: all(seen.status for seen in self.seen), why="all requests have a response")
        self.dropping = False

    def let_through(self, count: int, matches: Callable[[InterceptedRequest], bool]) -> asyncio.Event:
        """Delay all matching requests except the first ``count`` until the returned event is set."""
        release = asyncio.Event()
        self.delayed.append(release)
        matched = 0

        async def delay(seen: InterceptedRequest) -> Response | None:
            nonlocal matched
            if matches(seen):
                matched += 1
                if matched > count:
                    await release.wait()
                    return problem(503, "lost") if self.dropping else None
            return None

        self.before = delay
        return release

    def respond_once(self, matches: Callable[[InterceptedRequest], bool], *responses: Response) -> None:
        """Return these responses to the first matching requests, in place of the server's."""
        waiting = list(responses)

        async def respond(seen: InterceptedRequest) -> Response | None:
            return waiting.pop(0) if matches(seen) and waiting else None

        self.before = respond


@asynccontextmanager
async def intercepting_proxy(server: str) -> AsyncIterator[Proxy]:
    """Run a proxy for ``server`` on an address of its own."""
    proxy = Proxy(server)
    async with httpx.AsyncClient(base_url=server, timeout=30) as upstream:

        async def handle(request: Request) -> Response:
            seen = InterceptedRequest(request.method, request.url.path, request.url.query, dict(request.headers))
            proxy.seen.append(seen)
            try:
                response = (await proxy.before(seen) if proxy.before else None) or await _forward(request, seen)
            except ClientDisconnect:
                # The client has disconnected, so the response is only recorded.
                response = Response(status_code=CLIENT_GONE)
            seen.status = response.status_code
            return response

        async def _forward(request: Request, seen: InterceptedRequest) -> Response:
            body = await request.body()
            if proxy.change_up:
                body = proxy.change_up(seen, body)
            headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            try:
                upstream_response = await upstream.request(request.method, target, content=body, headers=headers)
            except httpx.TransportError:
                return problem(502, "bad-gateway")
            content = (
                proxy.change_down(seen, upstream_response.content) if proxy.change_down else upstream_response.content
            )
            response = Response(content, upstream_response.status_code)
            for name, value in upstream_response.headers.multi_items():
                if name not in _HOP_BY_HOP:
                    response.headers.append(name, value)
            return response

        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        async with serving(Starlette(routes=[Route("/{path:path}", handle, methods=methods)])) as address:
            proxy.address = address
            yield proxy
            await proxy.drop_delayed()


def problem(status: int, code: str, **headers: str) -> Response:
    """Return a problem document like the server's."""
    body = json.dumps({"status": status, "code": code, "title": code, "detail": f"The code is {code}."})
    return Response(body, status, headers, media_type="application/problem+json")
