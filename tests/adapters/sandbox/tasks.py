"""Tasks that tests have the sandbox do."""

import os
import socket
import time

from metastore.adapters.sandbox.refusal import NotCopyableError, RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def tell(source: ParentBytes, emit: Emit, times: int) -> None:
    """Emits the source so many times, with a number and the child's own."""
    for number in range(times):
        source.seek(0)
        emit({"number": number, "process": os.getpid()}, source.read())


def refuse(source: ParentBytes, emit: Emit) -> None:
    """Will not have it."""
    raise RefusedError("The source is too blue.")


def refuse_to_copy(source: ParentBytes, emit: Emit) -> None:
    """Will not copy it."""
    raise NotCopyableError("The picture cannot be copied.")


def fail(source: ParentBytes, emit: Emit) -> None:
    """Goes wrong."""
    raise ValueError("seven is not four")


def break_out(source: ParentBytes, emit: Emit) -> None:
    """Emits the numbers of the errors that come of trying."""
    errors: list[int | None] = []
    for attempt in (lambda: os.open("/etc/passwd", os.O_RDONLY), socket.socket, os.pipe):
        try:
            attempt()
            errors.append(None)
        except OSError as error:
            errors.append(error.errno)
    emit({"errors": errors, "variables": sorted(os.environ)}, b"")


def work_on(source: ParentBytes, emit: Emit, seconds: float, times: int) -> None:
    """Emits as many times, after being busy for as long."""
    for _ in range(times):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        emit({}, b"")
