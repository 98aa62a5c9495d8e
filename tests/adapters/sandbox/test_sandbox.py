"""A child does its task within its limits, and nothing else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest

from metastore.adapters.sandbox import process
from metastore.adapters.sandbox.process import CHILD, Limits, Made, Sandbox
from metastore.adapters.sandbox.wire import Json
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, NotCopyableError, Source
from tests.fixtures.waiting import eventually

_TASKS = "tests.adapters.sandbox.tasks"
_ROOT = str(Path(__file__).parents[3])


@pytest.fixture(autouse=True)
def _tasks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{_ROOT}/src:{_ROOT}")


def source(content: bytes = b"bytes") -> Source:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), "application/octet-stream")


def is_running(process: Json) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def made_by(
    task: str,
    arguments: Mapping[str, Json] | None = None,
    given: Source | None = None,
    limits: Limits | None = None,
    command: tuple[str, ...] = CHILD,
) -> list[Made]:
    work = Sandbox(command).work(f"{_TASKS}:{task}", arguments or {}, given or source(), limits or Limits())
    async with aclosing(work):
        return [one async for one in work]


async def test_what_a_task_makes_comes_with_its_header() -> None:
    content = os.urandom(700_000)
    made = await made_by("tell", {"times": 3}, source(content))
    assert [(number, content) for number in range(3)] == [(one.header["number"], one.data) for one in made]


async def test_a_refusal_arrives_with_its_code() -> None:
    with pytest.raises(MediaRefusedError) as refused:
        await made_by("refuse")
    with pytest.raises(NotCopyableError) as not_copyable:
        await made_by("refuse_to_copy")
    assert (ReasonCode.PICTURE_UNREADABLE, ReasonCode.FILM_NOT_COPYABLE) == (
        refused.value.code,
        not_copyable.value.code,
    )


async def test_a_refusal_with_a_code_that_does_not_exist_is_a_failure() -> None:
    with pytest.raises(MediaToolError, match="too-blue"):
        await made_by("refuse_for_an_unknown_reason")


async def test_a_mistake_is_a_failure_that_may_pass() -> None:
    with pytest.raises(MediaToolError, match="seven is not four"):
        await made_by("fail")


async def test_a_child_can_open_nothing_and_knows_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even code that has taken it over, which may close what is open."""
    monkeypatch.setenv("SECRET_KEY", "of the house")
    (told,) = await made_by("break_out")
    assert told.header["done"] == []
    assert "SECRET_KEY" not in told.header["variables"]  # type: ignore[operator]  # the same


async def test_a_child_may_still_start_threads() -> None:
    (told,) = await made_by("start_threads")
    assert told.header["heard"] == ["here"]


async def test_work_may_take_long_as_long_as_it_gets_on() -> None:
    limits = Limits(seconds=20, cpu_seconds=1, seconds_for_each=1)
    assert 5 == len(await made_by("work_on", {"seconds": 0.6, "times": 5}, limits=limits))
    with pytest.raises(MediaToolError, match="died"):
        await made_by("work_on", {"seconds": 5, "times": 1}, limits=limits)


async def test_the_time_in_which_nobody_takes_what_was_made_does_not_count() -> None:
    work = Sandbox().work(f"{_TASKS}:tell", {"times": 3}, source(), Limits(seconds=2.5, stalled_seconds=2))
    taken = 0
    async with aclosing(work):
        async for _ in work:
            await asyncio.sleep(1)
            taken += 1
    assert 3 == taken


async def test_the_time_in_which_the_source_does_not_answer_is_not_the_tool_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the first second of each reading."""
    monkeypatch.setattr(process, "_READ_WITHIN", 0.0)

    async def slow(offset: int, length: int) -> AsyncIterator[bytes]:
        await asyncio.sleep(5.2)
        yield b"bytes"[offset : offset + length]

    limits = Limits(seconds=5, stalled_seconds=5)
    made = await made_by("tell", {"times": 1}, Source(slow, 5, "application/octet-stream"), limits)
    assert [b"bytes"] == [one.data for one in made]


async def test_a_child_ends_when_its_work_is_closed() -> None:
    work = Sandbox().work(f"{_TASKS}:tell", {"times": 1000}, source(), Limits())
    child = (await anext(work)).header["process"]
    assert is_running(child)
    await work.aclose()
    assert not is_running(child)


async def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from tests.adapters.sandbox.test_sandbox import source, Sandbox, Limits\n"
        "async def main():\n"
        "    work = Sandbox().work('tests.adapters.sandbox.tasks:tell', {'times': 9}, source(), Limits())\n"
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
    ("program", "said"),
    [
        ("import time; time.sleep(60)", "too long"),
        ("import os; os.kill(os.getpid(), 9)", "died"),
        ("import sys; sys.stdout.buffer.write(b'D\\xff\\xff\\xff\\xff'); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write(b'R' + bytes(8) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(4) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write((b'M' + bytes(3) + b'\\2' + bytes(4) + b'{}') * 9**6)", "too much"),
    ],
)
async def test_a_child_that_hangs_dies_or_says_too_much_is_a_failure_that_may_pass(program: str, said: str) -> None:
    limits = Limits(seconds=60, stalled_seconds=1.5, made=1000)
    with pytest.raises(MediaToolError, match=said):
        await made_by("tell", limits=limits, command=(sys.executable, "-c", program))
