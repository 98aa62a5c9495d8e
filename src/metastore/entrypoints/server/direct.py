"""Bytes between a socket and whoever has the buffer, without the event loop in between.

Both directions work on a duplicate of the transport's socket while the transport itself neither reads nor writes. The
duplicate shares the socket's non-blocking mode, so a thread is never caught in it.
"""

import asyncio
import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from metastore.ports.served_objects import SourceEndedError

_PATIENCE = 0.005
"""Seconds that a thread waits for the client, in all of a turn, before it leaves the waiting to the event loop."""
_TURN = 64 * 2**20
"""Bytes that a thread sends before others get their turn."""
_PIECE = 512 * 2**10
"""Bytes given to the socket at once. The kernel holds the end of each packet back while it is told of more to come, so
with the whole file at once the client has pauses: it took a third longer."""
_SLOW = 64 * 2**10
_GATHER = 0.03
"""A client that moved fewer bytes in a turn is slow: seconds pass before its next one, which then does not wait."""


class ClientTooSlowError(Exception):
    """The client took nothing for too long."""


class DirectBody:
    """The rest of a request's body; a ``ByteSource``.

    ``ended`` is called with whether all of it was taken. Make it on the event loop; ``read_into`` is for threads, one
    at a time.
    """

    def __init__(
        self, transport: asyncio.Transport, begun: bytes, length: int, ended: Callable[["DirectBody"], None]
    ) -> None:
        self._socket = duplicate_socket(transport)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._begun = memoryview(begun)
        self._ended = ended
        self.left = length
        """Bytes still to come."""
        self.sender_is_gone = False
        self._patience = _PATIENCE
        self._moved = 0

    @property
    def on_the_wire(self) -> int:
        """Bytes that the socket has yet to bring."""
        return self.left - len(self._begun)

    def read_into(self, buffer: memoryview) -> int:
        """Fill ``buffer`` from its start with what is there; 0 when nothing came for some milliseconds.

        Raises:
            SourceEndedError: the client hung up.
        """
        if self._begun:
            count = min(len(buffer), len(self._begun))
            buffer[:count] = self._begun[:count]
            self._begun = self._begun[count:]
        else:
            count = self._receive(buffer)
        self.left -= count
        self._moved += count
        return count

    async def readable(self) -> None:
        """Wait until there is more, or the end."""
        is_slow = self._moved < _SLOW
        self._patience, self._moved = 0.0 if is_slow else _PATIENCE, 0
        loop = asyncio.get_running_loop()
        await _ready(self._socket, loop.add_reader, loop.remove_reader)
        if is_slow:
            await asyncio.sleep(_GATHER)

    def close(self) -> None:
        """Give the socket back."""
        if self._socket.fileno() >= 0:
            self._socket.close()
            self._ended(self)

    def _receive(self, buffer: memoryview) -> int:
        while True:
            try:
                count = self._socket.recv_into(buffer, min(len(buffer), self.left))
            except BlockingIOError:
                if not self._waited():
                    return 0
                continue
            except OSError as error:
                self.sender_is_gone = True
                raise SourceEndedError from error
            if not count:
                self.sender_is_gone = True
                raise SourceEndedError
            return count

    def _waited(self) -> bool:
        if self._patience <= 0:
            return False
        began = time.monotonic()
        ready = bool(self._poll.poll(self._patience * 1000))
        self._patience -= time.monotonic() - began
        return ready


class FileSender:
    """Sends pieces of files through sockets; ``idle_timeout`` is in seconds."""

    def __init__(self, threads: ThreadPoolExecutor, idle_timeout: float) -> None:
        self._threads = threads
        self._idle_timeout = idle_timeout

    async def send(self, transport: asyncio.Transport, file: int, offset: int, count: int) -> None:
        """Send ``count`` bytes of the open ``file``. The transport must have nothing left to write.

        Raises:
            ConnectionError: the client hung up.
            ClientTooSlowError: it took nothing for the idle timeout.
            EOFError: the file ends before.
        """
        loop = asyncio.get_running_loop()
        with duplicate_socket(transport) as target:
            end, patience = offset + count, _PATIENCE
            while True:
                turn = loop.run_in_executor(self._threads, _send_turn, target, file, offset, end, patience)
                begin, offset = offset, await _to_the_end(turn)
                if offset == end:
                    return
                is_slow = offset - begin < _SLOW
                patience = 0.0 if is_slow else _PATIENCE
                if is_slow:
                    await asyncio.sleep(_GATHER)
                try:
                    async with asyncio.timeout(self._idle_timeout):
                        await _ready(target, loop.add_writer, loop.remove_writer)
                except TimeoutError:
                    raise ClientTooSlowError from None


def duplicate_socket(transport: asyncio.Transport) -> socket.socket:
    """A second handle to the transport's socket."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


def _send_turn(target: socket.socket, file: int, offset: int, end: int, patience: float) -> int:
    writable = select.poll()
    writable.register(target, select.POLLOUT)
    stop = min(end, offset + _TURN)
    while offset < stop:
        try:
            sent = os.sendfile(target.fileno(), file, offset, min(_PIECE, stop - offset))
        except BlockingIOError:
            began = time.monotonic()
            if patience <= 0 or not writable.poll(patience * 1000):
                break
            patience -= time.monotonic() - began
            continue
        if not sent:
            raise EOFError("the file is shorter than it was said to be")
        offset += sent
    return offset


async def _to_the_end(work: "asyncio.Future[int]") -> int:
    """The thread's result; when cancelled, only once the thread lets go of the file and the socket."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()
        raise


async def _ready(
    handle: socket.socket, watch: Callable[[int, Callable[[], None]], None], unwatch: Callable[[int], object]
) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    watch(handle.fileno(), tell)
    try:
        await ready
    finally:
        unwatch(handle.fileno())
