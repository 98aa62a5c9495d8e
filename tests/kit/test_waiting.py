"""Pauses between retries grow, up to a limit; work is finished although the one who waits for it is cancelled."""

import asyncio

import pytest

from metastore.kit.waiting import backoff, finished


def test_the_pause_doubles_with_each_failure_up_to_its_limit() -> None:
    assert [0.2, 0.4, 0.8, 1.0, 1.0] == [backoff(failures, 1.0) for failures in range(1, 6)]


def test_an_outage_of_days_does_not_overflow() -> None:
    assert 5.0 == backoff(1_000_000, 5.0)


async def test_finished_work_gives_its_result_or_its_error() -> None:
    loop = asyncio.get_running_loop()
    good, bad = loop.create_future(), loop.create_future()
    good.set_result(7)
    bad.set_exception(OSError("broken"))
    assert await finished(good) == 7
    with pytest.raises(OSError, match="broken"):
        await finished(bad)


@pytest.mark.parametrize("fails", [False, True])
async def test_who_is_cancelled_leaves_only_after_the_work(fails: bool) -> None:
    """However often."""
    work = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(finished(work))
    for _ in range(3):
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    if fails:
        work.set_exception(OSError("broken"))
    else:
        work.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await waiting
