"""The sandbox tasks for raster images."""

from dataclasses import asdict

from metastore.adapters.media_tools import pictures
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(pictures.probe(source)), b"")


def thumbnails(source: ParentBytes, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in pictures.thumbnails(source, sizes):
        emit({}, thumbnail)
