"""The fork server: loads the libraries of one module of tasks, then forks a child for each task.

Run as ``python -I -m metastore.adapters.sandbox.fork_server MODULE``, with a Unix socket for packets as standard input.
It never sees what users upload, and has a single thread, since others would not survive in its children.
``fork_client`` is the other end of the socket.
"""

import gc
import importlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from metastore.adapters.sandbox import child

READY = b"ready"
"""Sent once the module is loaded."""
HAS_THREADS = b"threads"
"""Sent instead if loading the module has started threads, so that it must not be forked. The server then ends."""
FORK = b"fork"
"""Requests a child; comes with its end of a stream socket. The response is the process ID, or 0 if forking failed."""
MAX_MESSAGE = 64
"""Bytes of a message. Any other request is the ID of a child that has ended. Until then its ID is not used again."""


def main() -> None:
    """Serve requests until the parent closes the socket."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    child.limit_process()
    # Interrupting the parent in a terminal signals the whole process group; the parent ends its tasks in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    importlib.import_module(sys.argv[1])
    if sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) > 1:
        control.send(HAS_THREADS)
        return
    # Children share the memory of objects that the garbage collector does not touch.
    gc.collect()
    gc.freeze()
    control.send(READY)
    while True:
        message, connections, _, _ = socket.recv_fds(control, MAX_MESSAGE, 1)
        if not message:
            return
        if message == FORK:
            control.send(str(_fork(control, connections[0])).encode())
        else:
            os.waitpid(int(message), 0)


def _fork(control: socket.socket, connection: int) -> int:
    server = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        control.close()
        _run_child(server, connection)
    os.close(connection)
    return max(pid, 0)


def _run_child(server: int, connection: int) -> NoReturn:
    try:
        child.limit_process()
        if os.getppid() == server:  # else it has ended before it could take the child with it
            os.dup2(connection, 0)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            child.run_task(os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(0), "wb"))
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
