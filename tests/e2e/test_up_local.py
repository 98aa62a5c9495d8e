"""``make up-local`` prints how to sign in, and leaves no process behind.

Runs alone: it starts a stack of its own.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest

from deploy.local.ports import free_port
from tests.fixtures.waiting import eventually_sync

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can access."""
    folder = Path(mkdtemp(prefix="metastore-up-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start the program with its stack in ``folder``."""
    command = ["setpriv", "--pdeathsig=KILL", "--", sys.executable, "-m", "deploy.local", "up"]
    command += ["--folder", str(folder), "--port", str(free_port()), "--store-port", "0"]
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL)


def processes_in(folder: Path) -> list[str]:
    """Return the command lines and working directories of all processes that use ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = process.joinpath("cmdline").read_bytes() + bytes(process.joinpath("cwd").readlink())
        except OSError:
            continue
        if str(folder).encode() in about:
            found.append(about.decode(errors="replace"))
    return found


def test_up_prints_address_and_login_and_down_ends_every_process(folder: Path) -> None:
    """The printed login works at the printed address; ``down`` ends every process."""
    program = start(folder)
    output = folder / "output"
    eventually_sync(
        lambda: program.poll() is not None or "Ctrl-C" in output.read_text(), timeout=120, interval=0.1, why="it runs"
    )
    found = re.search(r"running at (\S+)\nSign in as (\S+) with the password (\S+)\n", output.read_text())
    assert found, output.read_text()
    address, name, password = found.groups()
    with httpx.Client(base_url=address, timeout=60) as client:
        response = client.post("/api/v1/auth/login", json={"username": name, "password": password})
        assert ("ADMIN", 200) == (response.json()["user"]["role"], response.status_code)
        assert "<html" in client.get("/").text
    down = [sys.executable, "-m", "deploy.local", "down", "--folder", str(folder)]
    assert 0 == subprocess.run(down, cwd=ROOT, check=False, timeout=120).returncode
    assert 0 == program.wait(10)
    assert [] == processes_in(folder)
    assert "Traceback" not in output.read_text()


def test_killed_during_its_start_it_leaves_no_process_running(folder: Path) -> None:
    """The kernel kills the servers along with the program that started them."""
    program = start(folder)
    eventually_sync(lambda: len(processes_in(folder)) > 4, why="servers are starting")
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    eventually_sync(lambda: not processes_in(folder), why="nothing is left")
