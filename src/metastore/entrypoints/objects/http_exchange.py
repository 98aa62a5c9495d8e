"""A request to the data plane and its response."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from starlette.types import Receive, Scope, Send

from metastore.entrypoints.server import BODY, DirectBody
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem

Header = tuple[bytes, bytes]

_VALID_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

ANY_PAGE = frozenset({"*"})
"""Pages of any origin may read objects: no cookie is involved, so a page gains nothing from its visitor's browser."""


class ClientGoneError(Exception):
    """The client disconnected or does not read the response."""


class HttpExchange:
    """A request and the methods to respond to it. Kept small, since one is created for every request."""

    __slots__ = ("common_headers", "headers", "method", "path", "query", "receive", "scope", "send", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send, writers: frozenset[str]) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.started = False
        self.common_headers = common_headers(self.headers, ANY_PAGE if self._reads() else writers)

    def _reads(self) -> bool:
        requested = self.headers.get(b"access-control-request-method", b"").decode("latin-1")
        return (requested if self.method == "OPTIONS" and requested else self.method) in ("GET", "HEAD")

    def take_body(self) -> DirectBody | None:
        """Return the body for direct transfer, if the server supports it and the body has not all arrived."""
        extension = self.scope.get("extensions", {}).get(BODY)
        body: DirectBody | None = extension["take"]() if extension else None
        return body

    async def start(self, status: int, headers: Iterable[Header]) -> None:
        """Send the status and the headers. The body must follow."""
        self.started = True
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, *self.common_headers]})

    async def respond(self, status: int, headers: Sequence[Header], body: bytes = b"") -> None:
        """Send a complete response."""
        await self.start(status, headers)
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, problem: Problem) -> None:
        """Send a problem document (RFC 9457)."""
        body = json.dumps(problem.body(self.path)).encode()
        headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await self.respond(problem.status, headers, b"" if self.method == "HEAD" else body)


def common_headers(headers: Mapping[bytes, bytes], origins: frozenset[str]) -> list[Header]:
    """Return the headers of every response to a request with ``headers``: the request id and CORS headers."""
    common = [(b"x-request-id", _request_id(headers))]
    if origins:
        common += _cors_headers(headers.get(b"origin", b"").decode("latin-1"), origins)
    return common


def read_lines(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the same for a GET, as header lines."""
    return b"x-request-id: %s\r\n%s" % (_request_id(headers), _ANY_PAGE_LINES)


def _request_id(headers: Mapping[bytes, bytes]) -> bytes:
    given = headers.get(b"x-request-id")
    return given if given and _VALID_ID.fullmatch(given) else new_id().encode()


_EXPOSED = b"ETag, Content-Length, Content-Range, Content-Disposition, Accept-Ranges, Last-Modified, X-Request-ID"


def _cors_headers(origin: str, origins: frozenset[str]) -> list[Header]:
    """Return the CORS headers (Fetch standard) for a request from a page of ``origin``."""
    if "*" in origins:
        return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED)]
    if origin not in origins:
        return [(b"vary", b"Origin")]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]


_ANY_PAGE_LINES = b"".join(b"%s: %s\r\n" % header for header in _cors_headers("", ANY_PAGE))
