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
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode


def tell(source: SourceFile, emit: Emit, times: int) -> None:
    """Emit the source ``times`` times, with a number and the process id."""
    for number in range(times):
        source.seek(0)
        emit({"number": number, "process": os.getpid()}, source.read())


def refuse(source: SourceFile, emit: Emit) -> None:
    """Will not have it."""
    raise RefusedError(ReasonCode.PICTURE_UNREADABLE)


def refuse_to_copy(source: SourceFile, emit: Emit) -> None:
    """Will not copy it."""
    raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)


def refuse_for_an_unknown_reason(source: SourceFile, emit: Emit) -> None:
    """Refuses with a code that is no ``ReasonCode``, as a child that was taken over might."""
    raise RefusedError(UnknownCode.TOO_BLUE)  # type: ignore[arg-type]  # on purpose


class UnknownCode(StrEnum):
    """No code of ours."""

    TOO_BLUE = "too-blue"


def fail(source: SourceFile, emit: Emit) -> None:
    """Raise an unexpected exception."""
    raise ValueError("seven is not four")


def break_out(source: SourceFile, emit: Emit) -> None:
    """Emit which attempts succeeded."""
    os.close(2)  # a number that is free again
    attempts: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "make a socket": socket.socket,
        "make a pipe": os.pipe,
        "have room again": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)),
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "become another program": lambda: _call("execv", 0, 0),
        "trace the parent": lambda: _call("ptrace", 16, os.getppid(), 0, 0),
    }
    emit(
        {"done": [name for name, attempt in attempts.items() if _works(attempt)], "variables": sorted(os.environ)}, b""
    )


def start_threads(source: SourceFile, emit: Emit) -> None:
    """Emit a message from a thread."""
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.append("here"))
    thread.start()
    thread.join()
    emit({"heard": heard}, b"")


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


def work_on(source: SourceFile, emit: Emit, seconds: float, times: int) -> None:
    """Emit ``times`` times, after ``seconds`` of processor time each."""
    for _ in range(times):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        emit({}, b"")
