"""Encoding uses only processors that nobody else needs."""

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
@pytest.mark.parametrize(("job", "is_idle"), [(RUNGS, True), (COPIED, False)])
async def test_a_child_runs_only_while_a_processor_is_idle_if_it_encodes_video(
    clip: Clip, job: Job, is_idle: bool
) -> None:
    """Remuxing is quick, and somebody may wait for the film."""
    before = descendants()
    async with aclosing(SandboxedTranscoder().make(source(clip("plain")), job)) as outputs:
        await anext(outputs)
        policies = {os.sched_getscheduler(pid) for pid in descendants() - before}
    assert is_idle == (os.SCHED_IDLE in policies)
