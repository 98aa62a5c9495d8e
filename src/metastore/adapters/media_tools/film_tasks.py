"""What the sandbox can be asked to do with films."""

from metastore.adapters.media_tools import films
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emits the facts."""
    emit(films.probe(source), b"")


def thumbnail(source: ParentBytes, emit: Emit, pixels: int) -> None:
    """Emits the picture."""
    emit({}, films.thumbnail(source, pixels))
