"""The child process: run one task and exit. See the package for what it may and may not do.

It is either this program, or a fork of the fork server, which has loaded what the task needs.
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from typing import BinaryIO, NoReturn

from metastore.adapters.sandbox import protocol
from metastore.adapters.sandbox.errors import NoPictureError, NotCopyableError, RefusedError
from metastore.adapters.sandbox.protocol import Json, Task
from metastore.adapters.sandbox.scheduling import yield_to_requests
from metastore.adapters.sandbox.seccomp import block_system_calls, drop_capabilities
from metastore.adapters.sandbox.source_file import SourceFile

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Run the task that arrives on standard input."""
    incoming, outgoing = sys.stdin.buffer, _take_standard_output()
    limit_process()
    run_task(incoming, outgoing)


def run_task(incoming: BinaryIO, outgoing: BinaryIO) -> NoReturn:
    """Run the task that arrives on ``incoming`` within its limits, then exit."""
    yield_to_requests()
    task = Task.of_line(incoming.readline())
    resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (task.cpu_seconds, task.max_cpu_seconds))
    kind, reason = _run(task, SourceFile(incoming, outgoing, task.size), outgoing)
    message = reason.encode(errors="replace")[: protocol.MAX_REASON]
    outgoing.write(kind + protocol.LENGTH.pack(len(message)) + message)
    outgoing.flush()
    # Skip the threads and exit handlers of libraries; nothing is left for them to do.
    os._exit(0)


def _run(task: Task, source: SourceFile, outgoing: BinaryIO) -> tuple[bytes, str]:
    def emit(header: Mapping[str, Json], data: bytes) -> None:
        encoded = json.dumps(header).encode()
        outgoing.write(protocol.EMIT + protocol.LENGTHS.pack(len(encoded), len(data)) + encoded)
        outgoing.write(data)
        outgoing.flush()

    try:
        module, _, function = task.name.partition(":")
        work = getattr(importlib.import_module(module), function)
        forbid_opening()
        work(source, emit, **task.arguments)
    except NotCopyableError as refusal:
        return protocol.NOT_COPYABLE, refusal.code.value
    except NoPictureError as refusal:
        return protocol.NO_PICTURE, refusal.code.value
    except RefusedError as refusal:
        return protocol.REFUSED, refusal.code.value
    except Exception as error:  # noqa: BLE001  reported to the parent, which decides
        return protocol.FAILED, repr(error)
    return protocol.DONE, ""


def forbid_opening() -> None:
    """Prevent the process from opening any more files or sockets, even after closing those it has."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if sys.platform == "linux":
        drop_capabilities()
        block_system_calls()


def _take_standard_output() -> BinaryIO:
    """Return standard output for the protocol; whatever libraries print is discarded."""
    ours = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(ours, "wb")


def limit_process() -> None:
    """Die with the parent, and do not dump core, write files or gain privileges."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
