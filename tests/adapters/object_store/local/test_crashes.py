"""Acknowledged bytes survive a crash at any point."""

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
from tests.fixtures.killable_part_receiver import KEY, PART_COUNT, PART_SIZE, target_of

_MEMORY = Path("/dev/shm")
"""Files here also survive a killed process, and a sync costs nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, if possible."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_step_loses_nothing_acknowledged(scenario: str, folder: Path) -> None:
    """The process dies at each disk operation in turn. The next start finds all acknowledged data and nothing else."""
    command = [sys.executable, "-m", "tests.fixtures.crashing_store", scenario, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5


async def test_concurrently_received_parts_survive_a_kill(tmp_path: Path) -> None:
    """After a SIGKILL while three parts are being written, each listed part has exactly the bytes that were sent."""
    for round_number in range(3):
        root = tmp_path / f"round-{round_number}"
        upload_id, acknowledged = await asyncio.to_thread(_kill_after, root, 4 + 3 * round_number)
        store = LocalObjectStore(root, b"k" * 32)
        await _verify(store, upload_id, acknowledged)
        await store.aclose()


def _kill_after(root: Path, acknowledgements: int) -> tuple[str, list[tuple[int, str]]]:
    command = [
        "setpriv",
        "--pdeathsig=KILL",
        "--",
        sys.executable,
        "-m",
        "tests.fixtures.killable_part_receiver",
        str(root),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        upload_id = process.stdout.readline().strip()
        lines = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        lines += process.stdout.readlines()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return upload_id, [(int(number), etag) for number, etag in whole]


async def _verify(store: LocalObjectStore, upload_id: str, acknowledged: list[tuple[int, str]]) -> None:
    target = target_of(upload_id)
    etags = {part.number: part.etag for part in await store.list_parts(target)}
    assert {number for number, _ in acknowledged} <= etags.keys()
    for number in set(range(1, PART_COUNT + 1)) - etags.keys():
        etags[number] = (await send(store, target, number, bytes(PART_SIZE))).etag
    await store.complete_multipart(target, [CompletedPart(number, etags[number]) for number in sorted(etags)])
    content = b"".join([chunk async for chunk in store.read(KEY)])
    for number, etag in etags.items():
        assert etag == blake3(content[(number - 1) * PART_SIZE : number * PART_SIZE]).hexdigest()
