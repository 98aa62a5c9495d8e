"""The child: looks into one film or picture and ends. See the package for what it may and may not do."""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import BinaryIO

from metastore.adapters.media_tools import wire
from metastore.adapters.media_tools.bytes_from_parent import ParentBytes
from metastore.adapters.media_tools.wire import Task

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Do the task that comes on standard input."""
    told, said = sys.stdin.buffer, _take_standard_output()
    _limit_the_process()
    task = Task(**json.loads(told.readline()))
    resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (task.cpu_seconds, task.cpu_seconds + 1))
    source = ParentBytes(told, said, task.size)
    try:
        kind, answer = _answer(task, source)
    except Exception as error:  # noqa: BLE001  the parent decides what follows
        kind, answer = wire.FAILED, repr(error)[:1000].encode()
    said.write(kind + wire.LENGTH.pack(len(answer)) + answer)
    said.flush()
    # Libraries may have threads and clean-ups of their own; there is nothing left to do for them.
    os._exit(0)


def _answer(task: Task, source: ParentBytes) -> tuple[bytes, bytes]:
    # One family of libraries only: the other need not be loaded, and cannot be attacked.
    from metastore.adapters.media_tools.refusal import RefusedError  # noqa: PLC0415

    try:
        if task.mime_type.startswith("image/"):
            from metastore.adapters.media_tools import pictures  # noqa: PLC0415

            _open_nothing_more()
            return wire.DONE, pictures.thumbnail(source, task.pixels) if task.pixels else _json(pictures.probe(source))
        from metastore.adapters.media_tools import films  # noqa: PLC0415

        _open_nothing_more()
        return wire.DONE, films.thumbnail(source, task.pixels) if task.pixels else _json(films.probe(source))
    except RefusedError as refusal:
        return wire.REFUSED, str(refusal).encode()


def _json(facts: dict[str, str | int | None]) -> bytes:
    return json.dumps(facts).encode()


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


def _open_nothing_more() -> None:
    """From here on no file can be opened and no connection made: there is no number left for one."""
    highest = max(int(name) for name in os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 16  # noqa: PTH112, PTH208  plain is smaller here
    # Listing had one open for itself: it is free again, and filled.
    for number in range(highest + 1):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(1, number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, highest + 1))


if __name__ == "__main__":
    main()
