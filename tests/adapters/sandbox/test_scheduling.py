"""Children leave the processors to the processes that people wait for."""

import asyncio
import os
import sys

import pytest

from metastore.adapters.sandbox.scheduling import seconds_without_processor
from tests.adapters.sandbox.running import forked_children, results_of
from tests.fixtures.waiting import eventually

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def test_a_child_is_nicer_than_its_parent() -> None:
    """Unless the parent is nearly as nice as can be."""
    (result,) = await results_of(forked_children(), "show_niceness", {"lowest": False})
    assert min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5) == result.header["niceness"]


async def test_work_that_takes_long_has_the_lowest_priority() -> None:
    (result,) = await results_of(forked_children(), "show_niceness", {"lowest": True})
    assert 19 == result.header["niceness"]


@_LINUX
async def test_the_wait_for_a_processor_is_measured() -> None:
    """Two processes that are busy on the same processor wait for each other."""
    bound_and_busy = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
    busy = [await asyncio.create_subprocess_exec(sys.executable, "-c", bound_and_busy) for _ in range(2)]
    try:
        await eventually(lambda: min(seconds_without_processor(process.pid) for process in busy) > 0.2)
    finally:
        for process in busy:
            process.kill()
            await process.wait()


def test_the_wait_of_a_process_that_has_ended_is_zero() -> None:
    assert 0.0 == seconds_without_processor(2**22 + 1)
