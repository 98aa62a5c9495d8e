"""Compare servers in interleaved rounds, so that noise on the machine affects all of them alike."""

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
    """The amount of work: sizes in bytes, times in seconds."""

    size: int = GIB
    rounds: int = 3
    range_seconds: float = 2.0


@dataclass
class Figures:
    """The measured values of one server, one per round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Add a value."""
        self.values.setdefault(name, []).append(value)

    def median(self, name: str) -> float | None:
        """Return the median of the values, if there are any."""
        return median(self.values[name]) if name in self.values else None

    def spread(self, name: str) -> float:
        """Return the range of the values, relative to their median."""
        values = self.values[name]
        return (max(values) - min(values)) / median(values)


def compare(
    contenders: Sequence[Contender], load: Load, extent: Extent, log: Callable[[str], None]
) -> dict[str, Figures]:
    """Measure all contenders in interleaved rounds."""
    figures = {contender.name: Figures() for contender in contenders}
    for number in range(1, extent.rounds + 1):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            log(f"round {number} of {extent.rounds}: {contender.name}")
            warm_memory(load.folder, 2 * extent.size)
            measure_upload(contender, figures[contender.name], extent)
        for contender in contenders:
            measure_reading(contender, figures[contender.name], load, extent)
    for contender in contenders:
        figures[contender.name].add("peak", contender.process.peak_memory())
    return figures


def warm_memory(folder: Path, size: int) -> None:
    """Fill ``size`` bytes of the page cache, then free them.

    On a virtual machine, memory that was idle for seconds may have been returned to the host, and its next use waits
    for the host. Without this, an upload after a pause runs at half the speed of one right after another.
    """
    scratch = folder / "scratch"
    piece = bytes(8 * MIB)
    with scratch.open("wb") as file:
        for _ in range(size // len(piece)):
            file.write(piece)
    scratch.unlink()


def measure_upload(contender: Contender, figures: Figures, extent: Extent) -> None:
    """Measure one upload, until its bytes are on disk."""
    before = contender.process.cpu_seconds()
    uploaded = contender.upload(extent.size)
    used = contender.process.cpu_seconds() - before
    syncing = 0.0
    if not uploaded.durable:
        start = time.perf_counter()
        sync_files(uploaded.files)
        syncing = time.perf_counter() - start
        figures.add("upload", extent.size / uploaded.seconds)
    figures.add("durable upload", extent.size / (uploaded.seconds + syncing))
    figures.add("upload cpu", used / (extent.size / GIB))
    contender.clear()


def measure_reading(contender: Contender, figures: Figures, load: Load, extent: Extent) -> None:
    """Measure downloads by one client and by eight, and ranges."""
    process, path = contender.process, contender.download_path()
    before = process.cpu_seconds()
    figures.add("download 1", load.fetch(process.port, path, 1))
    figures.add("download cpu", (process.cpu_seconds() - before) / (extent.size / GIB))
    if contender.many_readers:
        figures.add("download 8", load.fetch(process.port, path, 8))
        latency = load.ranges(process.port, path, extent.size, 32, extent.range_seconds)
        figures.add("ranges", latency.rate)
        figures.add("ranges p99", latency.p99)
