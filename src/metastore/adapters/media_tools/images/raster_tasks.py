"""The sandbox tasks for raster images."""

from dataclasses import asdict

from metastore.adapters.media_tools.images import raster
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.sandbox.source_file import SourceFile


def probe(source: SourceFile, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(raster.probe(source)), b"")


def thumbnails(source: SourceFile, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in raster.thumbnails(source, sizes):
        emit({}, thumbnail)
