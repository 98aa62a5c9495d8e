"""One request and its answer."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from starlette.types import Receive, Scope, Send

from metastore.entrypoints.server import BODY, DirectBody
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem

Header = tuple[bytes, bytes]

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


ANY_PAGE = frozenset({"*"})
"""Whoever has a URL may read what it opens: no cookie is involved, so a page gains nothing by a visitor's browser."""


class ClientGoneError(Exception):
    """The client hung up, or does not take what is sent; there is nobody to answer."""


class Exchange:
    """Thin on purpose: a handful of attributes and one way each to answer."""

    __slots__ = ("always", "headers", "method", "path", "query", "receive", "scope", "send", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send, writers: frozenset[str]) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.started = False
        self.always = common_headers(self.headers, ANY_PAGE if self._reads() else writers)

    def _reads(self) -> bool:
        wanted = self.headers.get(b"access-control-request-method", b"").decode("latin-1")
        return (wanted if self.method == "OPTIONS" and wanted else self.method) in ("GET", "HEAD")

    def take_body(self) -> DirectBody | None:
        """The body for a thread to take, where the server has that and the body is not all here already."""
        extension = self.scope.get("extensions", {}).get(BODY)
        body: DirectBody | None = extension["take"]() if extension else None
        return body

    async def start(self, status: int, headers: Iterable[Header]) -> None:
        """Send status and headers; the body must follow."""
        self.started = True
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, *self.always]})

    async def answer(self, status: int, headers: Sequence[Header], body: bytes = b"") -> None:
        """Send a whole answer."""
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
        await self.answer(problem.status, headers, b"" if self.method == "HEAD" else body)


def common_headers(headers: Mapping[bytes, bytes], origins: frozenset[str]) -> list[Header]:
    """What every answer to a request with ``headers`` carries: its id, and what pages of other origins may do."""
    given = headers.get(b"x-request-id")
    request_id = given if given and _SANE_ID.fullmatch(given) else new_id().encode()
    common = [(b"x-request-id", request_id)]
    if origins:
        common += _sharing(headers.get(b"origin", b"").decode("latin-1"), origins)
    return common


_EXPOSED = b"ETag, Content-Length, Content-Range, Content-Disposition, Accept-Ranges, Last-Modified, X-Request-ID"


def _sharing(origin: str, origins: frozenset[str]) -> list[Header]:
    """CORS headers (Fetch standard) for a request from a page of ``origin``."""
    if "*" in origins:
        return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED)]
    if origin not in origins:
        return [(b"vary", b"Origin")]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]
