"""What the sandbox can be asked to do with films and sounds."""

from dataclasses import asdict

from metastore.adapters.media_tools import films, frames, sounds
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit


def probe(source: ParentBytes, emit: Emit) -> None:
    """Emits the facts."""
    emit(asdict(films.probe(source)), b"")


def thumbnails(source: ParentBytes, emit: Emit, sizes: list[int]) -> None:
    """Emits the pictures, in the order of their sizes."""
    for picture in frames.thumbnails(source, sizes):
        emit({}, picture)


def sprite(source: ParentBytes, emit: Emit) -> None:
    """Emits it."""
    made = frames.sprite(source)
    emit({name: value for name, value in asdict(made).items() if name != "data"}, made.data)


def waveform(source: ParentBytes, emit: Emit, points: int) -> None:
    """Emits nothing again and again, as a sign of life, and it at last."""
    emit({}, sounds.waveform(source, points, lambda: emit({}, b"")))
