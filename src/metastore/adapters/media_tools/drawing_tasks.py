"""What the sandbox can be asked to do with drawings."""

from dataclasses import asdict

from metastore.adapters.media_tools import drawings
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emits the facts."""
    emit(asdict(drawings.probe(source)), b"")


def thumbnails(source: ParentBytes, emit: Emit, sizes: list[int]) -> None:
    """Emits them, in the order of their sizes."""
    for picture in drawings.thumbnails(source, sizes):
        emit({}, picture)
