"""The sandbox tasks for PDF documents."""

from dataclasses import asdict

from metastore.adapters.media_tools import documents
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(documents.probe(source)), b"")


def thumbnails(source: ParentBytes, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in documents.thumbnails(source, sizes):
        emit({}, thumbnail)
