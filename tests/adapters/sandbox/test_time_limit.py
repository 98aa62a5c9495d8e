"""A time limit does not count the time in which a child waits for a processor."""

import asyncio
import time

import pytest

from metastore.adapters.sandbox.time_limit import ProcessorWait, TimeLimit


class WaitingChild(ProcessorWait):
    """A child that has waited for a processor for each of ``waits`` in turn, then never again."""

    def __init__(self, *waits: float) -> None:
        self._waits = list(waits)

    def take(self) -> float:
        return self._waits.pop(0) if self._waits else 0.0


async def test_a_block_that_takes_too_long_ends() -> None:
    with pytest.raises(TimeoutError):
        async with TimeLimit(0.05, WaitingChild()):
            await asyncio.sleep(60)


async def test_waiting_for_a_processor_extends_the_limit() -> None:
    since = time.monotonic()
    limit = TimeLimit(0.05, WaitingChild(0.2, 0.15))
    with pytest.raises(TimeoutError):
        async with limit:
            await asyncio.sleep(60)
    assert 0.4 <= time.monotonic() - since
    assert 0.35 == pytest.approx(limit.uncounted)


async def test_a_block_within_its_limit_is_not_disturbed_later() -> None:
    async with TimeLimit(0.05, WaitingChild()):
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)


async def test_a_paused_limit_does_not_end_the_block() -> None:
    limit = TimeLimit(0.05, WaitingChild())
    async with limit:
        limit.pause()
        await asyncio.sleep(0.1)
        limit.extend(60)
        limit.resume()
        await asyncio.sleep(0)


async def test_the_wait_of_a_process_that_has_ended_extends_nothing() -> None:
    assert 0.0 == ProcessorWait(2**22 + 1).take()
