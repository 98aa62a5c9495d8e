"""Something between client and server that sees every request, and may hold it up, answer it itself or change bytes."""

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

from tests.fixtures.serving import serving
from tests.fixtures.waiting import eventually

Hook: TypeAlias = Callable[["Seen"], Awaitable[Response | None]]
Change: TypeAlias = Callable[["Seen", bytes], bytes]

CLIENT_GONE = 499
"""Stands for the answer to a client that is not there any more."""

_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"}


@dataclass
class Seen:
    """A request that came by; ``answered`` is the status that the client got."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    answered: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether it carries a part."""
        return self.method == "PUT" and self.path.startswith("/objects/")

    @property
    def is_fetch(self) -> bool:
        """Whether it asks for an object's bytes."""
        return self.method == "GET" and self.path.startswith("/objects/")


@dataclass
class Between:
    """Its address, what it has seen, and what it is to do."""

    server: str
    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    losing: bool = False
    held: list[asyncio.Event] = field(default_factory=list)
    before: Hook | None = None
    """Called with each request: may wait, or answer in the server's place."""
    change_up: Change | None = None
    change_down: Change | None = None

    @property
    def parts(self) -> list[Seen]:
        """Parts that were sent and accepted."""
        return [seen for seen in self.seen if seen.is_part and seen.answered == 200]

    @property
    def fetches(self) -> list[str]:
        """Ranges of objects that were sent back."""
        return [seen.headers["range"] for seen in self.seen if seen.is_fetch and seen.answered == 206]

    async def lose_held(self) -> None:
        """Let what is held up never reach the server, and hold up nothing more."""
        self.before = None
        self.losing = True
        for freed in self.held:
            freed.set()
        # That a client is gone in the middle of a body is noticed late at times.
        await eventually(lambda: all(seen.answered for seen in self.seen), why="all requests were answered")
        self.losing = False

    def let_through(self, count: int, wanted: Callable[[Seen], bool]) -> asyncio.Event:
        """Hold up all requests that are ``wanted`` but the first ``count``, until the returned event is set."""
        freed = asyncio.Event()
        self.held.append(freed)
        passed = 0

        async def hold(seen: Seen) -> Response | None:
            nonlocal passed
            if wanted(seen):
                passed += 1
                if passed > count:
                    await freed.wait()
                    return problem(503, "lost") if self.losing else None
            return None

        self.before = hold
        return freed

    def answer_once(self, wanted: Callable[[Seen], bool], *answers: Response) -> None:
        """Answer the first requests that are ``wanted`` by these, in the server's place."""
        waiting = list(answers)

        async def answer(seen: Seen) -> Response | None:
            return waiting.pop(0) if wanted(seen) and waiting else None

        self.before = answer


@asynccontextmanager
async def between(server: str) -> AsyncIterator[Between]:
    """Stand before ``server`` on an address of its own."""
    station = Between(server)
    async with httpx.AsyncClient(base_url=server, timeout=30) as onward:

        async def handle(request: Request) -> Response:
            seen = Seen(request.method, request.url.path, request.url.query, dict(request.headers))
            station.seen.append(seen)
            try:
                response = (await station.before(seen) if station.before else None) or await _pass_on(request, seen)
            except ClientDisconnect:
                # What it had to say can be read no more; the answer is for nobody.
                response = Response(status_code=CLIENT_GONE)
            seen.answered = response.status_code
            return response

        async def _pass_on(request: Request, seen: Seen) -> Response:
            body = await request.body()
            if station.change_up:
                body = station.change_up(seen, body)
            headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            try:
                answer = await onward.request(request.method, target, content=body, headers=headers)
            except httpx.TransportError:
                return problem(502, "bad-gateway")
            content = station.change_down(seen, answer.content) if station.change_down else answer.content
            response = Response(content, answer.status_code)
            for name, value in answer.headers.multi_items():
                if name not in _HOP_BY_HOP:
                    response.headers.append(name, value)
            return response

        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        async with serving(Starlette(routes=[Route("/{path:path}", handle, methods=methods)])) as address:
            station.address = address
            yield station
            await station.lose_held()


def problem(status: int, code: str, **headers: str) -> Response:
    """A problem document, as the server would send it."""
    body = json.dumps({"status": status, "code": code, "title": code, "detail": f"It says {code}."})
    return Response(body, status, headers, media_type="application/problem+json")
