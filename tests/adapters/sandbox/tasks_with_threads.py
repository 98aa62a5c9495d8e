"""A module of tasks that starts a thread when it is loaded."""

import threading

from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.sandbox.source_file import SourceFile

_forever = threading.Event()
_thread = threading.Thread(target=_forever.wait, daemon=True)
_thread.start()


def is_thread_running(source: SourceFile, emit: Emit) -> None:
    """Emit whether the thread is running."""
    emit({"running": _thread.is_alive()}, b"")
