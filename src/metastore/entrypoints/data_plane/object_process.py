"""The data plane process: an HTTP server for ``/objects/…``, and the calls of the API process.

``link`` starts it. Its start document comes as standard input.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.adapters.object_store.local.remote_uploads import CallServer
from metastore.entrypoints.data_plane.start import PREFIX, Start
from metastore.entrypoints.logs import configure_logs
from metastore.entrypoints.objects import ObjectsApp
from metastore.entrypoints.objects.allocator import keep_freed_memory
from metastore.entrypoints.server import HttpServer
from metastore.entrypoints.server.passing import SocketPasser

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_LAST_SECONDS = 1.0
"""Seconds in which transfers may finish if the API process ends without draining."""
_NAME = b"metastore-data"
"""What ``ps -o comm`` shows."""


def main() -> None:
    """Serve until the API process ends the connection."""
    start = Start.decode(sys.stdin.buffer.read())
    _become_child_of(start.parent)
    configure_logs(start.log_level)
    keep_freed_memory()
    uvloop.run(_serve(start))


def _become_child_of(parent: int) -> None:
    """End with the parent process, which may be killed, and leave the signals to it.

    Terminals and supervisors send SIGINT or SIGTERM to all processes of a service. The parent decides how to end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Elsewhere than on Linux, the end of the sockets to the parent has to do.
    with contextlib.suppress(AttributeError, OSError):
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(_PR_SET_NAME, _NAME)
    if os.getppid() != parent:
        raise SystemExit(1)


async def _serve(start: Start) -> None:
    key = bytes.fromhex(start.signing_key)
    store = LocalObjectStore(Path(start.folder), key, start.public_base, is_prepared=True)
    app = ObjectsApp(store, allowed_origins=start.origins)
    api = _ApiProcess()
    server = HttpServer(app, ready_response=app.ready_response, neighbour=api, listens=False)
    api.passer = SocketPasser(socket.socket(fileno=start.passing), server.adopt)
    serving = asyncio.create_task(server.serve())

    async def drain(seconds: float) -> None:
        server.stop(seconds)
        await asyncio.wait([serving])

    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=start.calls))
    await CallServer(store, drain).run(reader, writer)
    # The API process has ended the calls, usually after draining.
    await drain(_LAST_SECONDS)
    api.passer.close()
    await store.aclose()


class _ApiProcess:
    """The ``Neighbour`` of this process."""

    passer: SocketPasser

    def serves(self, path: str, *, is_websocket: bool) -> bool:
        return not path.startswith(PREFIX)

    def take(self, connection: socket.socket, received: bytes) -> None:
        self.passer.send(connection, received)
