"""The sandbox tasks for video and audio."""

from dataclasses import asdict

from metastore.adapters.media_tools import films, frames
from metastore.adapters.media_tools.sounds import compute_waveform
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emit the probe result."""
    emit(asdict(films.probe(source)), b"")


def thumbnails(source: ParentBytes, emit: Emit, sizes: list[int]) -> None:
    """Emit one thumbnail per size, in that order."""
    for thumbnail in frames.thumbnails(source, sizes):
        emit({}, thumbnail)


def sprite(source: ParentBytes, emit: Emit) -> None:
    """Emit the sprite."""
    sprite = frames.sprite(source)
    emit({name: value for name, value in asdict(sprite).items() if name != "data"}, sprite.data)


def waveform(source: ParentBytes, emit: Emit, points: int) -> None:
    """Emit the waveform, preceded by empty results as a sign of progress."""
    emit({}, compute_waveform(source, points, lambda: emit({}, b"")))
