"""PUT: write a part from the socket to the store."""

import asyncio

from metastore.entrypoints.objects.http_exchange import ClientGoneError, HttpExchange
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import Part
from metastore.ports.served_objects import PartWriter, ServedObjectStore, SourceEndedError

_MIN_RATE = 1024
"""Bytes a second that a client must send on average during the idle timeout."""


class PartReceiver:
    """Serves PUT requests."""

    def __init__(self, store: ServedObjectStore, idle_timeout: float) -> None:
        self._store = store
        self._idle_timeout = idle_timeout

    async def receive(self, exchange: HttpExchange) -> None:
        """Store the part and respond with its ETag."""
        grant = self._store.grant_put(exchange.path, exchange.query)
        _require_length(exchange, grant.length)
        body = _Body(exchange, await self._store.write_part(grant))
        # In a task of its own, since not every server allows cancelling the request's task.
        task = asyncio.create_task(body.store())
        try:
            part = await self._wait_for(task, body)
        finally:
            task.cancel()
            await asyncio.wait((task,))
        await exchange.respond(200, [(b"etag", b'"%s"' % part.etag.encode()), (b"content-length", b"0")])

    async def _wait_for(self, task: asyncio.Task[Part], body: "_Body") -> Part:
        while True:
            received = body.received
            done, _ = await asyncio.wait((task,), timeout=self._idle_timeout)
            if done:
                return task.result()
            if body.waiting and body.received - received < _MIN_RATE * self._idle_timeout:
                raise Problem(408, ProblemCode.REQUEST_TIMEOUT, "The part arrived too slowly.")


class _Body:
    """A body being received: the bytes so far, and whether it waits for the client rather than the disk."""

    def __init__(self, exchange: HttpExchange, writer: PartWriter) -> None:
        self._exchange = exchange
        self._writer = writer
        self.received = 0
        self.waiting = False

    async def store(self) -> Part:
        try:
            await self._take()
            return await self._writer.commit()
        except ValueError as error:
            raise _length_mismatch(str(error)) from None
        except SourceEndedError:
            raise ClientGoneError from None
        finally:
            await self._writer.discard()

    async def _take(self) -> None:
        source = self._exchange.take_body()
        if source is None:
            await self._receive()
            return
        try:
            length = source.left
            while not await self._writer.take(source):
                self.received, self.waiting = length - source.left, True
                await source.readable()
                self.waiting = False
        finally:
            source.close()

    async def _receive(self) -> None:
        while True:
            self.waiting = True
            message = await self._exchange.receive()
            self.waiting = False
            if message["type"] != "http.request":
                raise ClientGoneError
            if chunk := message.get("body"):
                self.received += len(chunk)
                await self._writer.write(chunk)
            if not message.get("more_body"):
                return


def _require_length(exchange: HttpExchange, expected: int) -> None:
    declared = exchange.headers.get(b"content-length")
    if b"transfer-encoding" in exchange.headers or (declared is None and expected):
        raise Problem(411, ProblemCode.LENGTH_REQUIRED, "A part must be sent with its Content-Length.")
    if declared is not None and (not declared.isdigit() or int(declared[:20]) != expected):
        raise _length_mismatch(f"the URL is for {expected} bytes")


def _length_mismatch(detail: str) -> Problem:
    return Problem(400, ProblemCode.LENGTH_MISMATCH, f"The length does not match the part: {detail}.")
