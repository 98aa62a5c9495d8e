"""What the sandbox can be asked to do with pictures."""

from metastore.adapters.media_tools import pictures
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emits the facts."""
    emit(pictures.probe(source), b"")


def thumbnail(source: ParentBytes, emit: Emit, pixels: int) -> None:
    """Emits the picture."""
    emit({}, pictures.thumbnail(source, pixels))
