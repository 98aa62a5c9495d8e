"""Tasks for the tests of the sandbox."""

import ctypes
import os
import resource
import socket
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from metastore.adapters.sandbox.errors import NotCopyableError, RefusedError
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.sandbox.scheduling import yield_to_everything
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode


def repeat(source: SourceFile, emit: Emit, times: int) -> None:
    """Emit the source ``times`` times, with a number and the process id."""
    for number in range(times):
        source.seek(0)
        emit({"number": number, "process": os.getpid()}, source.read())


def refuse(source: SourceFile, emit: Emit) -> None:
    """Refuse the source."""
    raise RefusedError(ReasonCode.PICTURE_UNREADABLE)


def refuse_to_copy(source: SourceFile, emit: Emit) -> None:
    """Refuse to copy the source."""
    raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)


def refuse_for_an_unknown_reason(source: SourceFile, emit: Emit) -> None:
    """Refuse with a code that is not a ``ReasonCode``, as a compromised child might."""
    raise RefusedError(UnknownCode.TOO_BLUE)  # type: ignore[arg-type]  # on purpose


class UnknownCode(StrEnum):
    """A code that is not a ``ReasonCode``."""

    TOO_BLUE = "too-blue"


def fail(source: SourceFile, emit: Emit) -> None:
    """Raise an unexpected exception."""
    raise ValueError("raised by the task")


def break_out(source: SourceFile, emit: Emit) -> None:
    """Emit which attempts succeeded."""
    os.close(2)  # frees a file descriptor
    attempts: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "create a socket": socket.socket,
        "create a pipe": os.pipe,
        "raise the limit on open files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)),
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "execute another program": lambda: _call("execv", 0, 0),
        "trace the parent": lambda: _call("ptrace", 16, os.getppid(), 0, 0),
    }
    emit(
        {"done": [name for name, attempt in attempts.items() if _works(attempt)], "variables": sorted(os.environ)}, b""
    )


def show_niceness(source: SourceFile, emit: Emit, lowest: bool) -> None:
    """Emit the niceness of the child."""
    if lowest:
        yield_to_everything()
    emit({"niceness": os.getpriority(os.PRIO_PROCESS, 0)}, b"")


def show_process(source: SourceFile, emit: Emit) -> None:
    """Emit the process, its parent and its open files."""
    files = [number for number in range(256) if _works(lambda number=number: os.fstat(number))]  # type: ignore[misc]
    emit({"process": os.getpid(), "parent": os.getppid(), "files": files}, b"")


def die(source: SourceFile, emit: Emit) -> None:
    """End without a last message."""
    os._exit(1)


def start_threads(source: SourceFile, emit: Emit) -> None:
    """Run a thread and emit what it appended to a list."""
    appended: list[str] = []
    thread = threading.Thread(target=lambda: appended.append("done"))
    thread.start()
    thread.join()
    emit({"appended": appended}, b"")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, ValueError):
        return False
    return True


def use_cpu(source: SourceFile, emit: Emit, seconds: float, times: int) -> None:
    """Emit ``times`` times, after ``seconds`` of processor time each."""
    for _ in range(times):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        emit({}, b"")
