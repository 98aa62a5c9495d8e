"""GET and HEAD: serve an object or a range of it.

The path for small ranges is as short as possible: a dictionary look-up verifies the URL, another finds the open file,
most headers are prepared, ``preadv`` reads the bytes from the page cache, and one call sends them. Larger ranges use
the server's file transfer (``http.response.zerocopysend``), if available.
"""

import asyncio
from collections.abc import Mapping
from email.utils import format_datetime

from metastore.entrypoints.objects.http_exchange import (
    ClientGoneError,
    Header,
    HttpExchange,
    read_lines,
)
from metastore.entrypoints.server import ZERO_COPY
from metastore.entrypoints.server.ready_response import ReadyResponse
from metastore.kit.api.conditional_requests import (
    UnsatisfiableRangeError,
    Validators,
    precondition_status,
    requested_range,
)
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.served_objects import OpenObject, ReadGrant, ServedObjectStore

_ONE_SEND = 2**20
_CHUNK = 2**18
_PREPARED = 4096
_SANDBOX = b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'"
_CONDITIONS = frozenset({b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"})


class ObjectServer:
    """Serves GET and HEAD requests."""

    def __init__(self, store: ServedObjectStore, *, idle_timeout: float) -> None:
        self._store = store
        self._idle_timeout = idle_timeout
        self._prepared: dict[ReadGrant, _Prepared] = {}

    def serve_now(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> ReadyResponse | None:
        """Return the response to a GET for a range without conditions, if the range is small and in memory.

        Raises:
            ObjectStoreError: the URL is not valid.
        """
        if b"range" not in headers or not _CONDITIONS.isdisjoint(headers):
            return None
        grant = self._store.grant_get(path, query)
        file = self._store.opened(grant.key)
        if file is None:
            return None
        prepared = self._prepare(grant, file)
        try:
            span = requested_range(headers, file.size, prepared.validators)
        except UnsatisfiableRangeError:
            return None
        body = file.read_now(*span) if span else None
        if not span or not body:
            return None
        offset, length = span
        content_range = b"content-length: %d\r\ncontent-range: bytes %d-%d/%d\r\n"
        head = content_range % (length, offset, offset + length - 1, file.size)
        return ReadyResponse(206, head + prepared.lines + read_lines(headers), body)

    async def serve(self, exchange: HttpExchange) -> None:
        """Respond with the object, a range of it, 304, 412 or 416."""
        grant = self._store.grant_get(exchange.path, exchange.query)
        file = self._store.opened(grant.key) or await self._store.open_object(grant.key)
        prepared = self._prepare(grant, file)
        headers = exchange.headers
        if not _CONDITIONS.isdisjoint(headers):
            status = precondition_status(headers, prepared.validators)
            if status == 304:
                await exchange.respond(304, prepared.short)
                return
            if status == 412:
                raise Problem(412, ProblemCode.PRECONDITION_FAILED, "The object does not match the condition.")
        try:
            span = requested_range(headers, file.size, prepared.validators) if b"range" in headers else None
        except UnsatisfiableRangeError:
            content_range = {"Content-Range": f"bytes */{file.size}"}
            raise Problem(
                416, ProblemCode.INVALID_RANGE, "The range is beyond the end of the object.", headers=content_range
            ) from None
        await self._send(exchange, file, prepared, span)

    async def _send(
        self, exchange: HttpExchange, file: OpenObject, prepared: "_Prepared", span: tuple[int, int] | None
    ) -> None:
        offset, length = span or (0, file.size)
        sized: list[Header] = [(b"content-length", b"%d" % length)]
        if span:
            sized.append((b"content-range", b"bytes %d-%d/%d" % (offset, offset + length - 1, file.size)))
        sized += prepared.full
        status = 206 if span else 200
        if exchange.method == "HEAD":
            await exchange.respond(status, sized)
        elif length <= _ONE_SEND:
            body = file.read_now(offset, length) or await file.read(offset, length)
            await exchange.respond(status, sized, body)
        elif ZERO_COPY in exchange.scope.get("extensions", ()):
            await exchange.start(status, sized)
            await exchange.send({"type": ZERO_COPY, "file": file.fileno(), "offset": offset, "count": length})
        else:
            await exchange.start(status, sized)
            await self._stream(exchange, file, offset, length)

    async def _stream(self, exchange: HttpExchange, file: OpenObject, offset: int, length: int) -> None:
        end = offset + length
        while offset < end:
            size = min(_CHUNK, end - offset)
            body = file.read_now(offset, size) or await file.read(offset, size)
            offset += size
            message = {"type": "http.response.body", "body": body, "more_body": offset < end}
            try:
                await asyncio.wait_for(exchange.send(message), self._idle_timeout)
            except TimeoutError:
                raise ClientGoneError from None

    def _prepare(self, grant: ReadGrant, file: OpenObject) -> "_Prepared":
        prepared = self._prepared.get(grant)
        if prepared is None:
            if len(self._prepared) >= _PREPARED:
                self._prepared.clear()
            prepared = self._prepared[grant] = _Prepared(grant, file)
        return prepared


def _caching(grant: ReadGrant) -> bytes:
    # Objects never change, so caches need not revalidate them.
    return b"private, max-age=%d, immutable" % grant.keep_seconds if grant.keep_seconds else b"private"


class _Prepared:
    """The headers that all responses to a URL share."""

    __slots__ = ("full", "lines", "short", "validators")

    def __init__(self, grant: ReadGrant, file: OpenObject) -> None:
        modified_at = file.modified_at.replace(microsecond=0)
        etag = b'"%s"' % file.etag.encode()
        self.validators = Validators(etag, modified_at)
        self.short: list[Header] = [
            (b"etag", etag),
            (b"last-modified", format_datetime(modified_at, usegmt=True).encode()),
            (b"cache-control", _caching(grant)),
        ]
        self.full: list[Header] = [
            *self.short,
            (b"content-type", grant.content_type.encode("latin-1", "replace")),
            (b"content-disposition", grant.disposition.encode("latin-1", "replace")),
            (b"accept-ranges", b"bytes"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", _SANDBOX),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"referrer-policy", b"no-referrer"),
        ]
        self.lines = b"".join(b"%s: %s\r\n" % header for header in self.full)
