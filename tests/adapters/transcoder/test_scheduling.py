"""Encoding yields to everything else."""

import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.transcoder import Job
from tests.adapters.transcoder.transcoding import COPIED, RUNGS, source

Clip = Callable[[str], bytes]


def descendants() -> set[int]:
    """Return the processes that this one has started, and those that they have started."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("job", "niceness"), [(RUNGS, 19), (COPIED, min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5))])
async def test_a_child_has_the_lowest_priority_if_it_encodes_video(clip: Clip, job: Job, niceness: int) -> None:
    """Remuxing is quick, and somebody may wait for the film."""
    before = descendants()
    async with aclosing(SandboxedTranscoder().make(source(clip("plain")), job)) as outputs:
        await anext(outputs)
        found = {os.getpriority(os.PRIO_PROCESS, pid) for pid in descendants() - before}
    assert niceness == max(found)
