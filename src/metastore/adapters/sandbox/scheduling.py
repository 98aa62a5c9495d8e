"""How the child shares the processors with the processes that people wait for."""

import os
from pathlib import Path

_NICENESS = 5


def yield_to_requests() -> None:
    """Let the processes that serve requests run first; the child still gets a share of a busy machine."""
    os.nice(_NICENESS)


def yield_to_everything() -> None:
    """Run at the lowest priority, for work that takes minutes or hours."""
    # Not SCHED_IDLE: on a machine whose processors are always busy, a film would never be done.
    os.nice(19)


def seconds_without_processor(pid: int) -> float:
    """Return for how long a process was ready to run while others had the processors; 0 if that is unknown."""
    waited = 0
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            waited = max(waited, int((thread / "schedstat").read_text().split()[1]))
    except (OSError, ValueError, IndexError):
        return 0.0
    return waited / 1e9
