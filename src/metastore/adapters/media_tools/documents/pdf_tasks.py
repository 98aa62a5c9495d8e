"""The sandbox tasks for PDF documents."""

from dataclasses import asdict

from metastore.adapters.media_tools.documents import pdf
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.sandbox.source_file import SourceFile


def probe(source: SourceFile, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(pdf.probe(source)), b"")


def thumbnails(source: SourceFile, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in pdf.thumbnails(source, sizes):
        emit({}, thumbnail)
