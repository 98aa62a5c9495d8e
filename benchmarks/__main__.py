"""Run all measurements, print tables and write them to ``benchmarks/results/``: ``python -m benchmarks``."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import report
from benchmarks.archives import measure_archives
from benchmarks.browser import measure_browser
from benchmarks.contender import Contender
from benchmarks.events import measure_events
from benchmarks.ladders import measure_ladders
from benchmarks.load import Load
from benchmarks.measure import MIB, Extent, compare
from benchmarks.million import measure_million
from benchmarks.servers.copyparty import Copyparty
from benchmarks.servers.metastore import MetaStore
from benchmarks.servers.nginx import Nginx
from benchmarks.servers.tus import Tus
from benchmarks.small import measure_small
from benchmarks.sockets import measure_sockets
from benchmarks.standalone import measure_api, measure_memory
from benchmarks.thumbnails import measure_arrival, measure_thumbnails

_PARTS = "servers,small,archives,browser,sockets,memory,api,events,thumbnails,ladders"
RESULTS = Path(__file__).parent / "results"
_SERVERS: dict[str, Callable[[Load, Path, int], Contender]] = {
    "metastore": MetaStore,
    "nginx": Nginx,
    "copyparty": Copyparty,
    "tus": Tus,
}


def main() -> None:
    """Run the measurements that the command line selects."""
    options = _options()
    extent = Extent(size=options.size * MIB, rounds=options.rounds)
    RESULTS.mkdir(exist_ok=True)
    load_before = os.getloadavg()
    sections = []
    # On the disk of the checkout: the system's temporary folder is often in memory.
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="running-") as name:
        folder = Path(name)
        load = Load(folder)
        folder.chmod(0o755)  # PostgreSQL's user needs to traverse it
        parts: dict[str, Callable[[], str]] = {
            "servers": lambda: _compare_servers(load, folder, options.servers.split(","), extent),
            "small": lambda: report.small(measure_small(load, _new_folder(folder, "small"), extent.rounds, _log)),
            "archives": lambda: report.archives(
                measure_archives(load, _new_folder(folder, "archives"), extent.rounds, _log)
            ),
            "browser": lambda: report.browser(
                measure_browser(load, _new_folder(folder, "browser"), extent.rounds, _log)
            ),
            "sockets": lambda: report.sockets(measure_sockets(load, _new_folder(folder, "sockets"), _log)),
            "memory": lambda: report.memory(measure_memory(load, _new_folder(folder, "memory"))),
            "api": lambda: report.api(measure_api(load, _new_folder(folder, "api"), extent.size)),
            "events": lambda: report.events(measure_events(_new_folder(folder, "events"))),
            "thumbnails": lambda: report.thumbnails(
                measure_thumbnails(), measure_arrival(load, _new_folder(folder, "thumbnails"))
            ),
            "ladders": lambda: report.ladders(measure_ladders(_new_folder(folder, "ladders"), extent.rounds)),
            "million": lambda: report.million(measure_million(_new_folder(folder, "million"), _log)),
        }
        for part in options.parts.split(","):
            _log(part)
            sections.append(parts[part]())
    text = "\n\n".join([report.environment(extent, load_before), *sections]) + "\n"
    (RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.md").write_text(text)
    print(text)


def _compare_servers(load: Load, folder: Path, names: list[str], extent: Extent) -> str:
    contenders: list[Contender] = []
    with ExitStack() as running:
        for name in names:
            _log(f"starting {name}")
            contenders.append(_SERVERS[name](load, _new_folder(folder, name), extent.size))
            running.callback(contenders[-1].end)
        figures = compare(contenders, load, extent, _log)
    values = {name: one.values for name, one in figures.items()}
    (RESULTS / "latest.json").write_text(json.dumps(values, indent=2))
    return f"{report.comparison(figures)}\n\n{report.ratios(figures)}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB of each upload and download")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default=",".join(_SERVERS), help="servers to compare, separated by commas")
    parser.add_argument("--parts", default=_PARTS, help="measurements, separated by commas")
    return parser.parse_args()


def _new_folder(folder: Path, name: str) -> Path:
    created = folder / name
    created.mkdir()
    return created


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    main()
