"""How connections end when the server is Granian and the library is python-engineio.

* Granian (2.8) carries out ``websocket.close`` only once no ``receive`` is waiting, and the library always has one
  waiting: a client that does not hang up by itself would stay connected. So closing ends the waiting ``receive`` first.
* The library swallows the cancellation of a waiting connection and then says goodbye to the client. Once Granian has
  stopped, that never returns and the process never ends. So a cancelled task sends nothing any more.
"""

import asyncio

from starlette.types import Message, Receive, Send


class EndableConnection:
    """The ``receive`` and ``send`` of one connection, with proper ends."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._waiting: asyncio.Future[Message] | None = None
        self._closed = False

    async def receive(self) -> Message:
        """The next message; ``websocket.disconnect`` once closed."""
        self._waiting = asyncio.ensure_future(self._receive())
        try:
            return await self._waiting
        except asyncio.CancelledError:
            if self._closed and not _is_cancelled():
                return {"type": "websocket.disconnect", "code": 1000}
            raise
        finally:
            self._waiting = None

    async def send(self, message: Message) -> None:
        """Send ``message``, unless the task is to end."""
        if _is_cancelled():
            raise asyncio.CancelledError
        if message["type"] == "websocket.close":
            self._closed = True
            if self._waiting is not None:
                self._waiting.cancel()
        await self._send(message)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
