"""Passing connections between the processes that share a port.

One process accepts, and each serves the requests that belong to it. When a request belongs to the other process, the
connection moves there: the socket by ``SCM_RIGHTS``, with the bytes that were received and not yet served, beginning
with the head of that request. This happens between two requests only, when all earlier responses have been written.

The channel is a Unix socket of type ``SOCK_SEQPACKET``. A message is one byte (whether more of the same connection
follows) and received bytes; the last one carries the socket.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

_PIECE = 32 * 2**10
"""Received bytes of a message, few enough for the buffer of the channel to hold several."""
_LAST, _MORE = b"\0", b"\1"
_TURN = 32
"""Messages that are received before other work gets its turn."""
_log = structlog.get_logger(__name__)

Adopt = Callable[[socket.socket, bytes], None]
"""Serve a connection as if it was accepted here and the bytes were received from it."""


class Neighbour(Protocol):
    """The other process, as a connection sees it."""

    def serves(self, path: str, *, is_websocket: bool) -> bool:
        """Return whether requests for ``path`` (decoded) belong to the other process and can be passed to it now."""
        ...

    def take(self, connection: socket.socket, received: bytes) -> None:
        """Pass a connection. This process must not use it any more, except for closing its own handles."""
        ...


class SocketPasser:
    """One end of a channel, used on the event loop.

    Args:
        channel: The Unix socket; closed by ``close``.
        adopt: Called with each connection that the other process passes.
    """

    def __init__(self, channel: socket.socket, adopt: Adopt) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._adopt = adopt
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[tuple[bytes, socket.socket | None]] = deque()
        self._received = bytearray()
        self.is_open = True
        self._loop.add_reader(channel, self._receive)

    def send(self, connection: socket.socket, received: bytes) -> None:
        """Pass ``connection`` and close this handle to it. If the other process has ended, its client notices."""
        if not self.is_open:
            connection.close()
            return
        was_idle = not self._unsent
        last = max(len(received) - 1, 0) // _PIECE * _PIECE
        for start in range(0, last, _PIECE):
            self._unsent.append((_MORE + received[start : start + _PIECE], None))
        self._unsent.append((_LAST + received[last:], connection))
        if was_idle:
            self._send_waiting()

    def close(self) -> None:
        """Close the channel, and the connections that were not passed yet."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._channel)
        self._loop.remove_writer(self._channel)
        self._channel.close()
        for _, connection in self._unsent:
            if connection is not None:
                connection.close()
        self._unsent.clear()

    def _send_waiting(self) -> None:
        while self._unsent:
            message, connection = self._unsent[0]
            try:
                socket.send_fds(self._channel, [message], [] if connection is None else [connection.fileno()])
            except BlockingIOError:
                self._loop.add_writer(self._channel, self._send_waiting)
                return
            except ConnectionError:
                self.close()
                return
            except OSError as error:
                _log.warning("a connection cannot be passed", error=str(error))
                # What was sent of it must not be taken for the beginning of the next one.
                self._unsent[0] = (_LAST, None)
                if connection is not None:
                    connection.close()
                continue
            self._unsent.popleft()
            if connection is not None:
                connection.close()
        self._loop.remove_writer(self._channel)

    def _receive(self) -> None:
        for _ in range(_TURN):
            try:
                message, handles, _, _ = socket.recv_fds(self._channel, _PIECE + 1, 1)
            except BlockingIOError:
                return
            except OSError:
                message, handles = b"", []
            if not message:
                self.close()
                return
            self._received += message[1:]
            if message[:1] == _LAST:
                received, self._received = bytes(self._received), bytearray()
                # There is no handle if a process has too many open files. The client notices.
                for handle in handles:
                    self._adopt(socket.socket(fileno=handle), received)
