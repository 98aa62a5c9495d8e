"""What was acknowledged is still there after the process died, wherever it died."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.ports.object_store import CompletedPart
from tests.fixtures.crashing_store import SCENARIOS, send
from tests.fixtures.part_victim import KEY, PART_COUNT, PART_SIZE, target_of

_MEMORY = Path("/dev/shm")
"""What a killed process wrote survives it there as well, and sync costs nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder on the fastest device there is."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_acknowledged_is_lost_at_any_step(scenario: str, folder: Path) -> None:
    """The process dies at each step on disk in turn; the next start finds all that was promised, and no leftovers."""
    command = [sys.executable, "-m", "tests.fixtures.crashing_store", scenario, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5


async def test_parts_received_at_the_same_time_survive_a_kill(tmp_path: Path) -> None:
    """SIGKILL hits while three parts are being written; each part is wholly one that was sent."""
    for round_number in range(3):
        root = tmp_path / f"round-{round_number}"
        upload_id, acknowledged = await asyncio.to_thread(_kill_after, root, 4 + 3 * round_number)
        store = LocalObjectStore(root, b"k" * 32)
        await _verify(store, upload_id, acknowledged)
        await store.aclose()


def _kill_after(root: Path, acknowledgements: int) -> tuple[str, list[tuple[int, str]]]:
    command = ["setpriv", "--pdeathsig=KILL", "--", sys.executable, "-m", "tests.fixtures.part_victim", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        upload_id = victim.stdout.readline().strip()
        lines = [victim.stdout.readline() for _ in range(acknowledgements)]
        victim.kill()
        lines += victim.stdout.readlines()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return upload_id, [(int(number), etag) for number, etag in whole]


async def _verify(store: LocalObjectStore, upload_id: str, acknowledged: list[tuple[int, str]]) -> None:
    target = target_of(upload_id)
    held = {part.number: part.etag for part in await store.list_parts(target)}
    assert {number for number, _ in acknowledged} <= held.keys()
    for number in set(range(1, PART_COUNT + 1)) - held.keys():
        held[number] = (await send(store, target, number, bytes(PART_SIZE))).etag
    await store.complete_multipart(target, [CompletedPart(number, held[number]) for number in sorted(held)])
    content = b"".join([chunk async for chunk in store.read(KEY)])
    for number, etag in held.items():
        assert etag == blake3(content[(number - 1) * PART_SIZE : number * PART_SIZE]).hexdigest()
