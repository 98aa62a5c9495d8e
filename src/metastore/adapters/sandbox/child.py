"""The child: does one task and ends. See the package for what it may and may not do."""

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from typing import BinaryIO

from metastore.adapters.sandbox import wire
from metastore.adapters.sandbox.refusal import NotCopyableError, NothingToSeeError, RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.system_calls import give_up_calls, give_up_capabilities
from metastore.adapters.sandbox.wire import Json, Task

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Do the task that comes on standard input."""
    told, said = sys.stdin.buffer, _take_standard_output()
    _limit_the_process()
    task = Task.of_line(told.readline())
    resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (task.cpu_seconds, task.most_cpu_seconds))
    kind, reason = _do(task, ParentBytes(told, said, task.size), said)
    answer = reason.encode(errors="replace")[: wire.MAX_REASON]
    said.write(kind + wire.LENGTH.pack(len(answer)) + answer)
    said.flush()
    # Libraries may have threads and clean-ups of their own; there is nothing left to do for them.
    os._exit(0)


def _do(task: Task, source: ParentBytes, said: BinaryIO) -> tuple[bytes, str]:
    def emit(header: Mapping[str, Json], data: bytes) -> None:
        about = json.dumps(header).encode()
        said.write(wire.EMIT + wire.LENGTHS.pack(len(about), len(data)) + about)
        said.write(data)
        said.flush()

    try:
        module, _, function = task.name.partition(":")
        work = getattr(importlib.import_module(module), function)
        open_nothing_more()
        work(source, emit, **task.arguments)
    except NotCopyableError as refusal:
        return wire.NOT_COPYABLE, refusal.code.value
    except NothingToSeeError as refusal:
        return wire.NOTHING_TO_SEE, refusal.code.value
    except RefusedError as refusal:
        return wire.REFUSED, refusal.code.value
    except Exception as error:  # noqa: BLE001  the parent decides what follows
        return wire.FAILED, repr(error)
    return wire.DONE, ""


def open_nothing_more() -> None:
    """From here on no file can be opened and no connection made: there is room for none, whatever is closed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if sys.platform == "linux":
        give_up_capabilities()
        give_up_calls()


def _take_standard_output() -> BinaryIO:
    """Standard output for ourselves; what libraries print goes nowhere."""
    mine = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(mine, "wb")


def _limit_the_process() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
