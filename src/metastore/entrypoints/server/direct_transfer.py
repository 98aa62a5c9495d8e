"""Transfer bodies between sockets and files in threads, bypassing the event loop.

Both directions use a duplicate of the transport's socket while the transport itself neither reads nor writes. The
duplicate shares the socket's non-blocking mode, so a thread never blocks in it.
"""

import asyncio
import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from metastore.kit.waiting import finished
from metastore.ports.served_objects import SourceEndedError

_WAIT_SECONDS = 0.005
"""Seconds for which a thread waits for the client in each turn, before the event loop waits instead."""
_TURN = 64 * 2**20
"""Bytes that a thread sends before other transfers get their turn."""
_PIECE = 512 * 2**10
"""Bytes passed to the socket at once. The kernel delays the end of a packet while more data is announced, so sending a
whole file at once causes pauses and takes a third longer."""
_WAKE_BYTES = 256 * 2**10
"""Bytes that wake a thread which waits for the client. Otherwise each packet of a fast client would."""
_SLOW_BYTES = 64 * 2**10
_SLOW_PAUSE = 0.03
"""A client that transfers fewer bytes in a turn is slow. Its next turn starts after this pause and does not wait."""


class ClientTooSlowError(Exception):
    """The client read nothing within the idle timeout."""


class DirectBody:
    """The rest of a request's body; a ``ByteSource``.

    Create it on the event loop. ``read_into`` may be called from a thread, one at a time.

    Args:
        transport: The connection, which must not read meanwhile.
        received: The beginning of the body, as far as it has arrived.
        length: Bytes of the whole body.
        closed: Called with this object when it is closed.
    """

    def __init__(
        self, transport: asyncio.Transport, received: bytes, length: int, closed: Callable[["DirectBody"], None]
    ) -> None:
        self._socket = duplicate_socket(transport)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._received = memoryview(received)
        self._closed = closed
        self.left = length
        """Bytes that have not been read yet."""
        self.sender_is_gone = False
        self._wait = _WAIT_SECONDS
        self._moved = 0
        self._wake_bytes = 1

    @property
    def on_the_wire(self) -> int:
        """The number of bytes that have not been read from the socket."""
        return self.left - len(self._received)

    def read_into(self, buffer: memoryview) -> int:
        """Read into the start of ``buffer`` and return the number of bytes; 0 if none arrived for some milliseconds.

        Raises:
            SourceEndedError: the client disconnected.
        """
        if self._received:
            count = min(len(buffer), len(self._received))
            buffer[:count] = self._received[:count]
            self._received = self._received[count:]
        else:
            count = self._receive(buffer)
        self.left -= count
        self._moved += count
        return count

    async def readable(self) -> None:
        """Wait on the event loop until there is more data, or the client has disconnected."""
        self._wake_at(1)
        is_slow = self._moved < _SLOW_BYTES
        self._wait, self._moved = 0.0 if is_slow else _WAIT_SECONDS, 0
        loop = asyncio.get_running_loop()
        await _ready(self._socket, loop.add_reader, loop.remove_reader)
        if is_slow:
            await asyncio.sleep(_SLOW_PAUSE)

    def close(self) -> None:
        """Close the duplicate socket, so that the transport may read again."""
        if self._socket.fileno() >= 0:
            self._wake_at(1)
            self._socket.close()
            self._closed(self)

    def _receive(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self.left)
        while True:
            try:
                count = self._socket.recv_into(buffer, wanted)
            except BlockingIOError:
                if self._wait <= 0:
                    return 0
                self._wait_for_data(wanted)
                continue
            except OSError as error:
                self.sender_is_gone = True
                raise SourceEndedError from error
            if not count:
                self.sender_is_gone = True
                raise SourceEndedError
            return count

    def _wait_for_data(self, wanted: int) -> None:
        """Wait until enough has arrived or the time of this turn is over. Fewer bytes may have arrived then."""
        self._wake_at(min(wanted, _WAKE_BYTES))
        began = time.monotonic()
        self._poll.poll(self._wait * 1000)
        self._wait -= time.monotonic() - began

    def _wake_at(self, count: int) -> None:
        """Let the socket become readable at ``count`` bytes, or at the end of the stream."""
        if count != self._wake_bytes:
            self._wake_bytes = count
            with contextlib.suppress(OSError):  # the client has disconnected
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)


class FileSender:
    """Sends files through sockets. ``idle_timeout`` is in seconds."""

    def __init__(self, threads: ThreadPoolExecutor, idle_timeout: float) -> None:
        self._threads = threads
        self._idle_timeout = idle_timeout

    async def send(self, transport: asyncio.Transport, file: int, offset: int, count: int) -> None:
        """Send ``count`` bytes of the open ``file``. The transport's write buffer must be empty.

        Raises:
            ConnectionError: the client disconnected.
            ClientTooSlowError: the client read nothing within the idle timeout.
            EOFError: the file is too short.
        """
        loop = asyncio.get_running_loop()
        with duplicate_socket(transport) as target:
            end, wait = offset + count, _WAIT_SECONDS
            while True:
                turn = loop.run_in_executor(self._threads, _send_turn, target, file, offset, end, wait)
                begin, offset = offset, await finished(turn)
                if offset == end:
                    return
                is_slow = offset - begin < _SLOW_BYTES
                wait = 0.0 if is_slow else _WAIT_SECONDS
                if is_slow:
                    await asyncio.sleep(_SLOW_PAUSE)
                try:
                    async with asyncio.timeout(self._idle_timeout):
                        await _ready(target, loop.add_writer, loop.remove_writer)
                except TimeoutError:
                    raise ClientTooSlowError from None


def duplicate_socket(transport: asyncio.Transport) -> socket.socket:
    """Return a second handle to the transport's socket."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


def _send_turn(target: socket.socket, file: int, offset: int, end: int, wait: float) -> int:
    writable = select.poll()
    writable.register(target, select.POLLOUT)
    stop = min(end, offset + _TURN)
    while offset < stop:
        try:
            sent = os.sendfile(target.fileno(), file, offset, min(_PIECE, stop - offset))
        except BlockingIOError:
            began = time.monotonic()
            if wait <= 0 or not writable.poll(wait * 1000):
                break
            wait -= time.monotonic() - began
            continue
        if not sent:
            raise EOFError("the file is shorter than announced")
        offset += sent
    return offset


async def _ready(
    handle: socket.socket, watch: Callable[[int, Callable[[], None]], None], unwatch: Callable[[int], object]
) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def notify() -> None:
        if not ready.done():
            ready.set_result(None)

    watch(handle.fileno(), notify)
    try:
        await ready
    finally:
        unwatch(handle.fileno())
