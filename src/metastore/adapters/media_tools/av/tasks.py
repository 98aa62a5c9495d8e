"""The sandbox tasks for video and audio."""

from dataclasses import asdict

from metastore.adapters.media_tools.av import demuxer, frame_extraction
from metastore.adapters.media_tools.av.waveform import compute_waveform
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.sandbox.source_file import SourceFile


def probe(source: SourceFile, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(demuxer.probe(source)), b"")


def thumbnails(source: SourceFile, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in frame_extraction.thumbnails(source, sizes):
        emit({}, thumbnail)


def sprite(source: SourceFile, emit: Emit) -> None:
    """Emit the sprite."""
    sprite = frame_extraction.sprite(source)
    emit({name: value for name, value in asdict(sprite).items() if name != "data"}, sprite.data)


def waveform(source: SourceFile, emit: Emit, points: int) -> None:
    """Emit the waveform, preceded by empty results as a sign of progress."""
    emit({}, compute_waveform(source, points, lambda: emit({}, b"")))
