"""Format the results as Markdown tables."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.archives import Measured as Archives
from benchmarks.browser import DROPPED, Dropped
from benchmarks.events import Events
from benchmarks.ladders import HDR_SECONDS, LADDER_SECONDS, Ladders
from benchmarks.measure import GIB, MIB, Extent, Figures
from benchmarks.million import Million
from benchmarks.small import Cost, Small
from benchmarks.sockets import OF_ONE_USER, Sockets, percentiles
from benchmarks.standalone import Api, Memory
from benchmarks.thumbnails import Arrival, Thumbnails

_MB = 1e6


@dataclass(frozen=True)
class Goal:
    """A ratio to reach: MetaStore's value of ``figure`` to that of ``server``."""

    figure: str
    server: str
    at_least: float


GOALS = (
    Goal("durable upload", "nginx", 0.8),
    Goal("durable upload", "copyparty", 1.5),
    Goal("download 1", "nginx", 0.9),
    Goal("download 8", "nginx", 0.9),
    Goal("ranges", "nginx", 0.3),
)


SMALL_RATES = {"upload-batch, each file": 1.0, "upload": 0.35}
"""Rates to reach, relative to PUT and sync by copyparty."""
SMALL_CPU_MS = {
    "upload": 4.0,
    "initiate, PUT, complete": 8.0,
    "me": 1.0,
    "file": 1.0,
    "files, 100 rows": 2.5,
    "download": 2.5,
    "search": 3.0,
    "notifications": 3.0,
}
_READ_MS = 0.52
"""What bare FastAPI with one sqlite3 read took on the machine for which ``SMALL_CPU_MS`` are the goals."""


def comparison(figures: Mapping[str, Figures]) -> str:
    """Return a table with one row per server."""
    columns = (
        "server",
        "upload MB/s, on disk (acknowledged)",
        "CPU s/GiB",
        "1 download MB/s",
        "8 downloads MB/s",
        "64 KiB ranges/s (p99)",
        "peak MB",
    )
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, one in figures.items():
        acknowledged = one.median("upload")
        upload = _scaled(one.median("durable upload")) + (f" ({_scaled(acknowledged)})" if acknowledged else "")
        ranges, p99 = one.median("ranges"), one.median("ranges p99")
        cells = [
            name,
            upload,
            f"{one.median('upload cpu'):.2f}",
            _scaled(one.median("download 1")),
            _scaled(one.median("download 8")),
            f"{ranges:,.0f} ({1000 * p99:.1f} ms)" if ranges and p99 else "–",
            _scaled(one.median("peak")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ratios(figures: Mapping[str, Figures]) -> str:
    """Return a table of MetaStore's ratios to the other servers, with goals. ± is the spread of its own rounds."""
    lines = ["| MetaStore | compared with | ratio | goal | |", "|---|---|---|---|---|"]
    metastore = figures["MetaStore"]
    for goal in GOALS:
        other = figures[goal.server].median(goal.figure) if goal.server in figures else None
        own = metastore.median(goal.figure)
        if not other or not own:
            continue
        ratio = own / other
        verdict = "reached" if ratio >= goal.at_least else "missed"
        spread = f"± {metastore.spread(goal.figure) / 2:.0%}"
        lines.append(f"| {goal.figure} ({spread}) | {goal.server} | {ratio:.2f} | {goal.at_least} | {verdict} |")
    return "\n".join(lines)


def small(measured: Small) -> str:
    """Return a table of small requests, and of their ratios to the references of the same run."""
    lines = ["| small requests | a second (with all that follows) | server CPU ms each |", "|---|---|---|"]
    for name, cost in measured.costs.items():
        lines.append(f"| {name} | {cost.rate:,.0f} ({cost.settled_rate:,.0f}) | {1000 * cost.cpu:.2f} |")
    idle = measured.idle
    does_nothing = f"{100 * idle.cpu:.1f} % of a core, {idle.wake_ups:.0f} wake-ups a second, {_scaled(idle.memory)} MB"
    lines.append(f"| nothing at all | | {does_nothing} |")
    return "\n".join([*lines, "", *_small_ratios(measured.costs)])


def _small_ratios(costs: Mapping[str, Cost]) -> list[str]:
    """Compare rates with copyparty, and CPU with a bare read: as measured, and as it was where the goals were set."""
    copyparty, read = costs["copyparty, PUT and sync"], costs["bare FastAPI, one sqlite3 read"]
    lines = ["| rates, with all that follows | compared with copyparty | goal |", "|---|---|---|"]
    for name, at_least in SMALL_RATES.items():
        if name in costs:
            lines.append(f"| {name} | {costs[name].settled_rate / copyparty.settled_rate:.2f} | {at_least} |")
    lines += ["", "| CPU | ms | goal | compared with one sqlite3 read | goal |", "|---|---|---|---|---|"]
    for name, goal in SMALL_CPU_MS.items():
        if name in costs:
            ratio = f"{costs[name].cpu / read.cpu:.1f} | ≤ {goal / _READ_MS:.1f}"
            lines.append(f"| {name} | {1000 * costs[name].cpu:.2f} | ≤ {goal} | {ratio} |")
    return lines


def memory(measured: list[Memory]) -> str:
    """Return a table of peak memory by file size."""
    lines = ["| upload of | peak memory MB |", "|---|---|"]
    lines += [f"| {_size(one.size)} | {_scaled(one.peak)} |" for one in measured]
    return "\n".join(lines)


def api(measured: Api) -> str:
    """Return a table of API latency with and without uploads."""
    lines = ["| `GET /api/v1/files`, 4 clients | responses/s | p50 | p99 |", "|---|---|---|---|"]
    for name, one in (
        ("quiet", measured.quiet),
        (f"while {_scaled(measured.upload)} MB/s are uploaded", measured.busy),
    ):
        lines.append(f"| {name} | {one.rate:,.0f} | {1000 * one.p50:.1f} ms | {1000 * one.p99:.1f} ms |")
    return "\n".join(lines)


def browser(measured: Dropped) -> str:
    """Return a table of a folder of small files that is dropped on the web client."""
    rates = f"{DROPPED / measured.done:,.0f} ({DROPPED / measured.handled:,.0f})"
    rows = (
        ("files/s until all are shown as uploaded (and their events handled)", rates, "≥ 250"),
        ("CPU of the server for each file", f"{1000 * measured.server_cpu / DROPPED:.2f} ms", ""),
        ("CPU of the page's main thread for each file", f"{1000 * measured.page_cpu / DROPPED:.2f} ms", ""),
        ("longest task of the page", f"{1000 * measured.longest_task:.0f} ms", ""),
    )
    lines = [f"| {DROPPED:,} small files dropped in Chromium | measured | goal |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def archives(measured: Archives) -> str:
    """Return a table of what it takes to send a folder as one ZIP file."""
    lines = ["| a ZIP file of | by | MB/s | CPU, s a GiB |", "|---|---|---|---|"]
    for content, programs in measured.items():
        for program, sent in programs.items():
            speed, cpu = sent.size / sent.seconds / 1e6, sent.cpu / sent.size * 2**30
            lines.append(f"| {content} | {program} | {speed:.0f} | {cpu:.2f} |")
    return "\n".join(lines)


def sockets(measured: Sockets) -> str:
    """Return a table of what open sockets cost, and of the time until an event reaches them."""
    rows = (
        ("resident memory of the server", f"{_scaled(measured.memory)} MB", "≤ 1,500 MB"),
        ("memory of each", f"{measured.memory_each / 1000:.0f} kB", ""),
        ("CPU to open one", f"{1000 * measured.opening:.2f} ms", ""),
        ("CPU while nothing happens but pings", f"{100 * measured.idle:.1f} % of a core", ""),
        ("response → the only socket of a user, p50 (p99)", _percentiles(measured.single), ""),
        (f"response → all {OF_ONE_USER:,} sockets of a user, p50 (maximum)", _percentiles(measured.broadcast), ""),
    )
    lines = [f"| {measured.count:,} sockets on one process | measured | goal |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _percentiles(seconds: Sequence[float]) -> str:
    middle, last = percentiles(seconds)
    return f"{1000 * middle:.0f} ({1000 * last:.0f}) ms"


def events(measured: Events) -> str:
    """Return a table of event latency and throughput on PostgreSQL and RabbitMQ, with goals."""
    p50, p99 = (f"{1000 * measured.percentile(share):.0f} ms" for share in (0.5, 0.99))
    rows = (
        ("commit → socket at 100 events/s, p50", p50, ""),
        ("commit → socket at 100 events/s, p99", p99, "≤ 150 ms"),
        ("events/s through one relay", f"{measured.one_relay:,.0f}", "≥ 2,000"),
        ("events/s through two relays", f"{measured.two_relays:,.0f}", ""),
    )
    lines = ["| events | measured | goal |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def thumbnails(measured: Iterable[Thumbnails], arrival: Arrival) -> str:
    """Return tables of thumbnails of 256 and 1024 pixels from one decoding, one job per core, beside bare libvips."""
    lines = ["| thumbnails of | file MB | images/s (bare libvips: ratio) | one alone | peak memory MB |"]
    lines.append("|---|---|---|---|---|")
    for one in measured:
        name = f"{one.megapixels} MP {one.kind}"
        bare = f"{one.bare_rate:.1f}: {one.rate / one.bare_rate:.2f}" if one.bare_rate else "–"
        cells = name, f"{one.size / _MB:.1f}", f"{one.rate:.1f} ({bare})", f"{one.alone:.2f} s", _scaled(one.peak)
        lines.append(f"| {' | '.join(cells)} |")
    rows = (
        ("pictures/s, uploaded and ready", f"{arrival.rate:.1f}", f"{arrival.bare_rate:.1f}"),
        ("CPU ms each", f"{1000 * arrival.cpu:.0f}", f"{1000 * arrival.bare_cpu:.0f}"),
        ("speed by CPU", f"{arrival.bare_cpu / arrival.cpu:.2f} (goal: 0.6)", "1"),
        ("thumbnail of the newest, while the others wait", f"{arrival.newest:.2f} s (goal: 1)", ""),
    )
    lines += ["", f"| {arrival.count} photos of 12 MP | the whole product | bare libvips |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def ladders(measured: Ladders) -> str:
    """Return a table of the time to the first segments, and of ladders compared with ``ffmpeg``."""
    rows = [
        ("first segments of a film of a minute", f"{measured.first_of_short:.2f} s", "≤ 1 s"),
        ("first segments of a film of half an hour", f"{measured.first_of_long:.2f} s", "≤ 4 s"),
        (f"first segments of {HDR_SECONDS} s of HDR", f"{measured.first_of_hdr:.2f} s", "≤ 3 s"),
    ]
    for name, (ours, theirs) in measured.compared.items():
        what = f"{LADDER_SECONDS} s of 1080p30 to {name}, compared with `ffmpeg`"
        rows.append((what, _ratio(ours.elapsed, theirs.elapsed), "≤ 1.1"))
        rows.append(("the same, CPU seconds", _ratio(ours.cpu, theirs.cpu), ""))
    ours, theirs = measured.hdr
    what = f"{HDR_SECONDS} s of HDR (HLG) in 1080p30 to 1080, 720, 480, 360, compared with `ffmpeg`"
    rows.append((what, _ratio(ours.elapsed, theirs.elapsed), "≤ 1.1"))
    rows.append(("the same, CPU seconds", _ratio(ours.cpu, theirs.cpu), ""))
    lines = ["| streams | measured | goal |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def million(measured: Mapping[str, Million]) -> str:
    """Return a table of the milliseconds of pages and searches in a million files, by database."""
    titles = "".join(f" {name} p50 ms | p99 ms |" for name in measured)
    lines = [f"| in a million files |{titles}", "|---|" + "---|---|" * len(measured)]
    for request in next(iter(measured.values())).timings:
        timings = [one.timings[request] for one in measured.values()]
        lines.append(f"| {request} |" + "".join(f" {1000 * t.p50:.1f} | {1000 * t.p99:.1f} |" for t in timings))
    upgrades = ", ".join(f"{name} {one.upgrade:.0f} s" for name, one in measured.items())
    return "\n".join([*lines, "", f"Upgrade from revision 0008 to the newest: {upgrades}."])


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    if not theirs:
        return f"{median(ours):.1f} s; this `ffmpeg` cannot"
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    return f"{median(ours):.1f} s vs. {median(theirs):.1f} s: {ratio:.2f}"


def environment(extent: Extent, load_before: tuple[float, float, float]) -> str:
    """Return the machine, the versions and the load average of the run."""
    versions = {
        "Python": platform.python_version(),
        "uvicorn": version("uvicorn"),
        "nginx": _output_of("nginx", "-v").rpartition("/")[2],
        "copyparty": version("copyparty"),
        "Node.js": _output_of("node", "--version"),
    }
    used = ", ".join(f"{name} {number}" for name, number in versions.items())
    loads = " → ".join(f"{load[0]:.1f}" for load in (load_before, os.getloadavg()))
    return (
        f"{_size(extent.size)}, medians of {extent.rounds} interleaved rounds, on {os.cpu_count()} cores of {_cpu()}, "
        f"Linux {platform.release()}; load average {loads}. {used}."
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _output_of(program: str, *arguments: str) -> str:
    found = shutil.which(program) or f"/usr/sbin/{program}"
    completed = subprocess.run([found, *arguments], check=True, capture_output=True, text=True)
    return (completed.stdout or completed.stderr).strip()


def _scaled(value: float | None) -> str:
    return f"{value / _MB:,.0f}" if value is not None else "–"


def _size(value: int) -> str:
    return f"{value // GIB} GiB" if value % GIB == 0 else f"{value // MIB} MiB"
