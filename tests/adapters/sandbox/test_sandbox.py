"""A child process runs its task within its limits and isolated from everything else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from metastore.adapters.sandbox import supervisor
from metastore.adapters.sandbox.children import CHILD, Children, ProgramChildren
from metastore.adapters.sandbox.fork_client import FORK_SERVER
from metastore.adapters.sandbox.supervisor import Limits, Sandbox
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, NotCopyableError, Source
from tests.adapters.sandbox.running import (
    TASKS,
    forked_children,
    is_running,
    program_children,
    results_of,
    source,
)
from tests.fixtures.waiting import eventually


@pytest.fixture(params=["forked", "program"])
def children(request: pytest.FixtureRequest) -> Children:
    """Each way to start children."""
    return forked_children() if request.param == "forked" else program_children()


_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


async def test_a_result_has_data_and_header(children: Children) -> None:
    content = os.urandom(700_000)
    made = await results_of(children, "repeat", {"times": 3}, source(content))
    assert [(number, content) for number in range(3)] == [(one.header["number"], one.data) for one in made]


async def test_a_refusal_arrives_with_its_code(children: Children) -> None:
    with pytest.raises(MediaRefusedError) as refused:
        await results_of(children, "refuse")
    with pytest.raises(NotCopyableError) as not_copyable:
        await results_of(children, "refuse_to_copy")
    assert (ReasonCode.PICTURE_UNREADABLE, ReasonCode.FILM_NOT_COPYABLE) == (
        refused.value.code,
        not_copyable.value.code,
    )


async def test_a_refusal_with_a_code_that_does_not_exist_is_a_failure(children: Children) -> None:
    with pytest.raises(MediaToolError, match="too-blue"):
        await results_of(children, "refuse_for_an_unknown_reason")


async def test_an_exception_is_a_tool_error(children: Children) -> None:
    with pytest.raises(MediaToolError, match="raised by the task"):
        await results_of(children, "fail")


async def test_a_child_can_open_nothing_and_sees_no_settings(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even injected code, which may close open files first."""
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    (result,) = await results_of(children, "break_out")
    assert result.header["done"] == []
    assert {"SECRET_KEY", "PYTHONPATH"}.isdisjoint(result.header["variables"])  # type: ignore[arg-type]  # a list


async def test_a_child_imports_nothing_from_the_working_directory_or_python_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "-I" in CHILD
    assert "-I" in FORK_SERVER
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("metastore.py", "json.py", "ctypes.py", "av.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\nraise SystemExit\n")
    work = Sandbox().work("metastore.adapters.media_tools.images.raster_tasks:probe", {}, source(_PNG), Limits())
    async with aclosing(work):
        assert [(1, 1)] == [(result.header["width"], result.header["height"]) async for result in work]
    assert not (tmp_path / "executed").exists()


async def test_a_child_can_start_threads(children: Children) -> None:
    (result,) = await results_of(children, "start_threads")
    assert result.header["appended"] == ["done"]


async def test_limits_grow_with_each_result(children: Children) -> None:
    limits = Limits(seconds=20, cpu_seconds=1, seconds_for_each=1)
    assert 5 == len(await results_of(children, "use_cpu", {"seconds": 0.6, "times": 5}, limits=limits))
    with pytest.raises(MediaToolError, match="exited early"):
        await results_of(children, "use_cpu", {"seconds": 5, "times": 1}, limits=limits)


async def test_time_in_which_the_caller_takes_no_result_does_not_count(children: Children) -> None:
    work = Sandbox(children).work(f"{TASKS}:repeat", {"times": 3}, source(), Limits(seconds=2.5, stalled_seconds=2))
    count = 0
    async with aclosing(work):
        async for _ in work:
            await asyncio.sleep(1)
            count += 1
    assert 3 == count


async def test_time_spent_waiting_for_the_source_does_not_count(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except for the first second of each read."""
    monkeypatch.setattr(supervisor, "_READ_SECONDS", 0.0)

    async def slow(offset: int, length: int) -> AsyncIterator[bytes]:
        await asyncio.sleep(5.2)
        yield b"bytes"[offset : offset + length]

    limits = Limits(seconds=5, stalled_seconds=5)
    made = await results_of(children, "repeat", {"times": 1}, Source(slow, 5, "application/octet-stream"), limits)
    assert [b"bytes"] == [one.data for one in made]


async def test_closing_the_generator_ends_the_child(children: Children) -> None:
    work = Sandbox(children).work(f"{TASKS}:repeat", {"times": 1000}, source(), Limits())
    child = (await anext(work)).header["process"]
    assert is_running(child)
    await work.aclose()
    assert not is_running(child)


@pytest.mark.parametrize("way", ["forked", "program"])
async def test_a_child_dies_with_its_parent(way: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from metastore.adapters.sandbox.supervisor import Sandbox, Limits\n"
        f"from tests.adapters.sandbox.running import TASKS, {way}_children, source\n"
        "async def main():\n"
        f"    work = Sandbox({way}_children()).work(f'{{TASKS}}:repeat', {{'times': 9}}, source(), Limits())\n"
        "    async for made in work:\n"
        "        print(made.header['process'], flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()

    await eventually(lambda: not is_running(child))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(60)", "time limit"),
        ("import os; os.kill(os.getpid(), 9)", "exited early"),
        ("import sys; sys.stdout.buffer.write(b'D\\xff\\xff\\xff\\xff'); sys.stdout.flush()", "too long a reason"),
        ("import sys; sys.stdout.buffer.write(b'R' + bytes(8) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(4) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write((b'M' + bytes(3) + b'\\2' + bytes(4) + b'{}') * 9**6)", "too much"),
    ],
)
async def test_a_child_that_hangs_dies_or_sends_too_much_is_a_tool_error(program: str, message: str) -> None:
    limits = Limits(seconds=60, stalled_seconds=1.5, made=1000)
    children = ProgramChildren((sys.executable, "-c", program))
    with pytest.raises(MediaToolError, match=message):
        await results_of(children, "repeat", limits=limits)
