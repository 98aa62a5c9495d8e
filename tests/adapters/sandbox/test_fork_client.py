"""Children are forked from a process that has loaded their libraries, which comes and goes unnoticed."""

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path

import pytest

from metastore.adapters.sandbox.fork_client import ForkedChildren
from metastore.adapters.sandbox.protocol import Json
from metastore.adapters.sandbox.supervisor import Limits, Sandbox
from metastore.ports.media_tools import MediaToolError
from tests.adapters.sandbox.running import TASKS, forked_children, is_running, results_of, source
from tests.fixtures.waiting import eventually


async def process_and_parent(children: ForkedChildren) -> tuple[int, int]:
    (result,) = await results_of(children, "show_process")
    return result.header["process"], result.header["parent"]  # type: ignore[return-value]  # integers


def parent_of(process: Json) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


async def test_each_task_has_a_child_of_its_own_and_all_have_the_same_parent() -> None:
    children = forked_children()
    (first, server), (second, same_server) = [await process_and_parent(children) for _ in range(2)]
    assert first != second
    assert server == same_server != os.getpid()
    assert not is_running(first)


async def test_children_at_the_same_time_do_not_get_each_others_bytes() -> None:
    children, contents = forked_children(), [os.urandom(300_000) for _ in range(6)]
    made = await asyncio.gather(*(results_of(children, "repeat", {"times": 1}, source(one)) for one in contents))
    assert contents == [one.data for (one,) in made]


async def test_a_child_has_no_files_but_its_connection_and_the_null_device() -> None:
    (result,) = await results_of(forked_children(), "show_process")
    assert [0, 1, 2, 3] == result.header["files"]


@pytest.mark.parametrize(("task", "arguments"), [("die", {}), ("use_cpu", {"seconds": 60, "times": 1})])
async def test_after_a_child_that_dies_or_hangs_the_next_has_another_parent(
    task: str, arguments: dict[str, Json]
) -> None:
    """Their memory is laid out differently: a hostile file learns nothing that helps the next one."""
    children = forked_children()
    _, server = await process_and_parent(children)
    with pytest.raises(MediaToolError):
        await results_of(children, task, arguments, limits=Limits(stalled_seconds=0.5))
    _, other = await process_and_parent(children)
    assert server != other
    assert not is_running(server)


async def test_after_an_error_that_a_task_reports_the_parent_stays() -> None:
    children = forked_children()
    _, server = await process_and_parent(children)
    with pytest.raises(MediaToolError, match="raised by the task"):
        await results_of(children, "fail")
    assert server == (await process_and_parent(children))[1]


async def test_a_fork_server_that_was_killed_is_replaced() -> None:
    children = forked_children()
    _, server = await process_and_parent(children)
    os.kill(server, signal.SIGKILL)
    _, other = await process_and_parent(children)
    assert server != other


async def test_a_child_dies_with_its_fork_server() -> None:
    async with aclosing(
        Sandbox(forked_children()).work(f"{TASKS}:repeat", {"times": 10_000}, source(), Limits())
    ) as work:
        child = (await anext(work)).header["process"]
        os.kill(parent_of(child), signal.SIGKILL)
        with pytest.raises(MediaToolError, match="exited early"):
            async for _ in work:
                pass
    assert not is_running(child)


async def test_a_fork_server_ends_when_there_is_nothing_to_do_and_starts_again() -> None:
    children = forked_children(idle_seconds=0.05)
    _, server = await process_and_parent(children)
    await eventually(lambda: not is_running(server))
    _, other = await process_and_parent(children)
    assert server != other


async def test_a_fork_server_does_not_end_while_it_has_a_child() -> None:
    children = forked_children(idle_seconds=0.05)
    work = Sandbox(children).work(f"{TASKS}:repeat", {"times": 2}, source(), Limits())
    async with aclosing(work):
        await anext(work)
        await process_and_parent(children)
        await asyncio.sleep(0.2)
        assert 1 == (await anext(work)).header["number"]


async def test_a_task_that_is_cancelled_while_its_child_starts_does_not_affect_others() -> None:
    children = forked_children()
    tasks = [asyncio.create_task(results_of(children, "show_process")) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert 3 == len({one[0].header["process"] for one in done[1:] if not isinstance(one, BaseException)})


async def test_a_module_that_starts_threads_is_not_forked() -> None:
    """Its threads would be missing in the children."""
    module = "tests.adapters.sandbox.tasks_with_threads"
    children = forked_children()
    for _ in range(2):
        async with aclosing(Sandbox(children).work(f"{module}:is_thread_running", {}, source(), Limits())) as work:
            assert [True] == [result.header["running"] async for result in work]


async def test_a_module_that_cannot_be_loaded_is_a_tool_error() -> None:
    with pytest.raises(MediaToolError, match="has ended"):
        async with aclosing(Sandbox(forked_children()).work("tests.no_such_module:f", {}, source(), Limits())) as work:
            await anext(work)
