"""A server process under measurement: start, stop, CPU time and memory."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """A server in a process group of its own, on ``port`` of the loopback."""

    def __init__(
        self, command: Sequence[str | Path], port: int, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", "--", *command],
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_open()

    def end(self) -> None:
        """Kill it and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def cpu_seconds(self) -> float:
        """Return the user and system time of the process tree so far, with ended children, in seconds."""
        return tree_cpu_seconds(self._process.pid)

    def is_asleep(self) -> bool:
        """Return whether no thread of the process tree runs, waits for a processor, or waits for the disk."""
        stats = [stat for pid in self._tree() for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
        return all(_state(stat) not in "RD" for stat in stats)

    def wake_ups(self) -> int:
        """Return how often threads of the process tree have gone to sleep so far, and therefore woken up."""
        return sum(
            _number(task / "status", "voluntary_ctxt_switches:")
            for pid in self._tree()
            for task in Path(f"/proc/{pid}/task").glob("*")
        )

    def memory(self) -> int:
        """Return the sum of its processes' resident memory (``VmRSS``), in bytes."""
        return sum(_status(pid, "VmRSS:") for pid in self._tree())

    def peak_memory(self) -> int:
        """Return the sum of its processes' peak memory (``VmHWM``), in bytes."""
        return sum(_status(pid, "VmHWM:") for pid in self._tree())

    def reset_peak(self) -> None:
        """Restart the measurement of peak memory."""
        for pid in self._tree():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _tree(self) -> list[int]:
        return _tree_of(self._process.pid)

    def _wait_until_open(self, timeout: float = 30) -> None:
        deadline = time.monotonic() + timeout
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise RuntimeError(f"the server did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)


def tree_cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and all below it, ended ones included, in seconds."""
    return sum(_cpu_ticks(one) for one in _tree_of(pid)) / _TICKS


def _tree_of(pid: int) -> list[int]:
    pids = [pid]
    for parent in pids:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                pids += [int(child) for child in children.read_text().split()]
    return pids


def _state(stat: Path) -> str:
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _cpu_ticks(pid: int) -> int:
    try:
        # The name, in parentheses, may contain anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def _status(pid: int, name: str) -> int:
    return _number(Path(f"/proc/{pid}/status"), name) * 1024


def _number(status: Path, name: str) -> int:
    with suppress(OSError):
        for line in status.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
