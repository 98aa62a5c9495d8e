"""Taking in the rest of a body that was answered before its end.

A client that is still sending when the connection is closed on it may never see the answer (RFC 9112, section 9.6): it
finds its connection reset and cannot tell "too large" from a broken network. So the rest of the body is read and
thrown away, for a while.
"""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive

BYTES = 512 * 2**20
SECONDS = 20.0
"""More than that is no longer a mistake, but load."""


class Body:
    """The body of one request: call ``receive`` in its place, and ``linger`` after the answer."""

    def __init__(self, receive: Receive, *, expects_continue: bool) -> None:
        self._receive = receive
        self._expects_continue = expects_continue
        self._asked = False
        self._ended = False

    async def receive(self) -> Message:
        """The next message."""
        self._asked = True
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def linger(self) -> None:
        """Take in what is still to come.

        A client that waits for 100 Continue has sent nothing as long as nobody asked, and must not be told to begin.
        """
        if self._expects_continue and not self._asked:
            return
        loop = asyncio.get_running_loop()
        deadline, left = loop.time() + SECONDS, BYTES
        with suppress(TimeoutError):
            while not self._ended and left > 0:
                message = await asyncio.wait_for(self.receive(), deadline - loop.time())
                left -= len(message.get("body", b""))
