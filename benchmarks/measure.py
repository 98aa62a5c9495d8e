"""The measurements: one server after the other, round after round, so that a noisy moment hits them all alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.contender import Contender, sync_files
from benchmarks.load import Load

GIB = 2**30
MIB = 2**20


@dataclass(frozen=True)
class Extent:
    """How much is done: sizes in bytes, times in seconds."""

    size: int = GIB
    rounds: int = 3
    range_seconds: float = 2.0


@dataclass
class Figures:
    """What was measured of one server, a value for each round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Note a value."""
        self.values.setdefault(name, []).append(value)

    def median(self, name: str) -> float | None:
        """The middle of the values, if there are any."""
        return median(self.values[name]) if name in self.values else None

    def spread(self, name: str) -> float:
        """How far the values lie apart, as a part of their middle."""
        values = self.values[name]
        return (max(values) - min(values)) / median(values)


def compare(
    contenders: Sequence[Contender], load: Load, extent: Extent, tell: Callable[[str], None]
) -> dict[str, Figures]:
    """Measure all of them, interleaved."""
    figures = {contender.name: Figures() for contender in contenders}
    for number in range(1, extent.rounds + 1):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            tell(f"round {number} of {extent.rounds}: {contender.name}")
            warm_memory(load.folder, 2 * extent.size)
            measure_upload(contender, figures[contender.name], extent)
        for contender in contenders:
            measure_reading(contender, figures[contender.name], load, extent)
    for contender in contenders:
        figures[contender.name].add("peak", contender.process.peak_memory())
    return figures


def warm_memory(folder: Path, size: int) -> None:
    """Fill ``size`` bytes of the page cache and free them again.

    On a virtual machine, memory that was idle for seconds may have gone back to the host, and whoever uses it next
    waits for the host: without this, uploads right after a pause run at half the speed of those right after another.
    """
    scratch = folder / "scratch"
    piece = bytes(8 * MIB)
    with scratch.open("wb") as file:
        for _ in range(size // len(piece)):
            file.write(piece)
    scratch.unlink()


def measure_upload(contender: Contender, figures: Figures, extent: Extent) -> None:
    """One upload, and what it takes until it is on disk."""
    before = contender.process.cpu_seconds()
    uploaded = contender.upload(extent.size)
    used = contender.process.cpu_seconds() - before
    syncing = 0.0
    if not uploaded.durable:
        begun = time.perf_counter()
        sync_files(uploaded.files)
        syncing = time.perf_counter() - begun
        figures.add("upload", extent.size / uploaded.seconds)
    figures.add("durable upload", extent.size / (uploaded.seconds + syncing))
    figures.add("upload cpu", used / (extent.size / GIB))
    contender.clear()


def measure_reading(contender: Contender, figures: Figures, load: Load, extent: Extent) -> None:
    """Downloads by one and by eight at a time, and ranges."""
    process, path = contender.process, contender.download_path()
    before = process.cpu_seconds()
    figures.add("download 1", load.fetch(process.port, path, 1))
    figures.add("download cpu", (process.cpu_seconds() - before) / (extent.size / GIB))
    if contender.many_readers:
        figures.add("download 8", load.fetch(process.port, path, 8))
        latency = load.ranges(process.port, path, extent.size, 32, extent.range_seconds)
        figures.add("ranges", latency.rate)
        figures.add("ranges p99", latency.p99)
