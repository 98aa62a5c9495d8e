"""Changes that come at the same time are made together, and each succeeds or fails by itself."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from metastore.adapters.object_store.local.shared_syncs import SharedSyncs
from metastore.adapters.object_store.local.thread_pools import FileThreads
from metastore.ports.object_store import StoreUnavailableError

GROUPED = ["prepare", "publish", "finish"]


class FakeChange:
    """A change that logs what is called, fails in the step ``failing``, and is made alone only when ``allowed``."""

    def __init__(self, failing: str = "") -> None:
        self.log: list[str] = []
        self.allowed = threading.Event()
        self.begun = threading.Event()
        self._failing = failing

    def make_alone(self) -> None:
        """Wait until it is allowed."""
        self.begun.set()
        assert self.allowed.wait(30)
        self._do("alone")

    def prepare(self) -> None:
        """Implement ``Change``."""
        self._do("prepare")

    def publish(self) -> None:
        """Implement ``Change``."""
        self._do("publish")

    def finish(self) -> None:
        """Implement ``Change``."""
        self._do("finish")

    def undo(self, *, published: bool) -> None:
        """Implement ``Change``."""
        self.log.append("undo published" if published else "undo")

    def _do(self, step: str) -> None:
        if step == self._failing:
            raise OSError(5, f"cannot {step}")
        self.log.append(step)


@pytest.fixture
def threads() -> Iterator[FileThreads]:
    """Threads that are closed afterwards."""
    threads = FileThreads(2)
    yield threads
    threads.close()


async def make_behind_a_first(syncs: SharedSyncs, *changes: FakeChange) -> list[BaseException | None]:
    """Make ``changes`` while another one is being made. Return the error of each."""
    first = FakeChange()
    making_first = asyncio.create_task(syncs.make(first))
    await asyncio.to_thread(first.begun.wait, 30)
    making = [asyncio.create_task(syncs.make(change)) for change in changes]
    await asyncio.sleep(0)
    first.allowed.set()
    await making_first
    return await asyncio.gather(*making, return_exceptions=True)


async def test_a_change_without_company_syncs_only_its_own_files(tmp_path: Path, threads: FileThreads) -> None:
    """It does not sync the whole file system."""
    change = FakeChange()
    change.allowed.set()
    await SharedSyncs(tmp_path, threads).make(change)
    assert change.log == ["alone"]


async def test_changes_that_come_meanwhile_are_made_together(tmp_path: Path, threads: FileThreads) -> None:
    """All are prepared before the first is published."""
    changes = [FakeChange(), FakeChange(), FakeChange()]
    assert await make_behind_a_first(SharedSyncs(tmp_path, threads), *changes) == [None, None, None]
    assert [change.log for change in changes] == [GROUPED] * 3


@pytest.mark.parametrize("step", ["prepare", "publish"])
async def test_a_failed_change_is_undone_alone(step: str, tmp_path: Path, threads: FileThreads) -> None:
    """The others of its group are made."""
    failing, good = FakeChange(failing=step), FakeChange()
    errors = await make_behind_a_first(SharedSyncs(tmp_path, threads), failing, good)
    assert isinstance(errors[0], StoreUnavailableError)
    assert errors[1] is None
    assert failing.log == [*GROUPED[: GROUPED.index(step)], "undo"]
    assert good.log == GROUPED


async def test_a_failed_sync_fails_and_undoes_all(tmp_path: Path, threads: FileThreads) -> None:
    """A group is made wholly or not at all."""
    changes = [FakeChange(), FakeChange()]
    errors = await make_behind_a_first(SharedSyncs(tmp_path / "missing", threads), *changes)
    assert [type(error) for error in errors] == [StoreUnavailableError] * 2
    assert [change.log for change in changes] == [["undo"]] * 2


async def test_a_cancelled_caller_waits_until_the_change_is_made(tmp_path: Path, threads: FileThreads) -> None:
    """So it can clean up after it."""
    change = FakeChange()
    making = asyncio.create_task(SharedSyncs(tmp_path, threads).make(change))
    await asyncio.to_thread(change.begun.wait, 30)
    making.cancel()
    await asyncio.sleep(0)
    assert not making.done()
    change.allowed.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert change.log == ["alone"]


async def test_after_a_slow_sync_changes_are_made_separately(tmp_path: Path, threads: FileThreads) -> None:
    """The file system is then busy with what others write."""
    syncs = SharedSyncs(tmp_path, threads, slow_seconds=0)
    await make_behind_a_first(syncs, FakeChange(), FakeChange())
    change, other = FakeChange(), FakeChange()
    making = [asyncio.create_task(syncs.make(each)) for each in (change, other)]
    await asyncio.to_thread(change.begun.wait, 30)
    await asyncio.to_thread(other.begun.wait, 30)
    change.allowed.set()
    other.allowed.set()
    await asyncio.gather(*making)
    assert [change.log, other.log] == [["alone"], ["alone"]]


async def test_a_change_of_a_closed_store_fails(tmp_path: Path, threads: FileThreads) -> None:
    """It does not wait for ever."""
    threads.close()
    with pytest.raises(RuntimeError):
        await SharedSyncs(tmp_path, threads).make(FakeChange())
