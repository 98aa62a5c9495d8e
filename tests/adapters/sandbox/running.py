"""Run the tests' tasks in children."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path

from metastore.adapters.sandbox.children import CHILD, Children, ProgramChildren
from metastore.adapters.sandbox.fork_client import FORK_SERVER, ForkedChildren
from metastore.adapters.sandbox.protocol import Json
from metastore.adapters.sandbox.supervisor import Limits, Sandbox, TaskResult
from metastore.ports.media_tools import Source

TASKS = "tests.adapters.sandbox.tasks"
_ROOT = str(Path(__file__).parents[3])
# The real children import installed packages only, and the tests are not installed.
_MAIN = f"import sys; sys.path.append({_ROOT!r}); from metastore.adapters.sandbox.{{}} import main; main()"
_PROGRAM = (*CHILD[:-2], "-c", _MAIN.format("child"))
_FORK_SERVER = (*FORK_SERVER[:-2], "-c", _MAIN.format("fork_server"))


def program_children() -> ProgramChildren:
    """Return children that each start a program."""
    return ProgramChildren(_PROGRAM)


def forked_children(idle_seconds: float = 60) -> ForkedChildren:
    """Return children that a fork server forks; it ends after ``idle_seconds`` without a task."""
    return ForkedChildren(_FORK_SERVER, idle_seconds, program_children())


def source(content: bytes = b"bytes") -> Source:
    """Return a source of bytes in memory."""

    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), "application/octet-stream")


async def results_of(
    children: Children,
    task: str,
    arguments: Mapping[str, Json] | None = None,
    given: Source | None = None,
    limits: Limits | None = None,
) -> list[TaskResult]:
    """Run a task and return its results."""
    work = Sandbox(children).work(f"{TASKS}:{task}", arguments or {}, given or source(), limits or Limits())
    async with aclosing(work):
        return [one async for one in work]


def is_running(pid: Json) -> bool:
    """Return whether a process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
