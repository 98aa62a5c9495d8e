"""The product never imports files from the working directory.

The product or the client may be started in a folder that others can write to. A file there that is named like a
module must not run.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from metastore.kit.ids import new_id
from tests.fixtures.media import make_clip
from tests.fixtures.process import ADMIN_PASSWORD, MetastoreProcess
from tests.fixtures.product import Client
from tests.fixtures.programs import COMMAND
from tests.fixtures.stack import signed_in
from tests.fixtures.waiting import eventually

_MODULES = ("av", "ctypes", "email", "httpx", "json", "metastore", "pydantic", "random", "sitecustomize", "struct")
_FILM = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", "-t", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p"]


class StrayModules:
    """Python files named like modules. Each records its name when it is executed, and ends the process."""

    def __init__(self, folder: Path) -> None:
        self._executed = folder / "executed"
        self._paths = [folder / f"{name}.py" for name in _MODULES]
        for path in self._paths:
            path.write_text(f"open({str(self._executed)!r}, 'a').write(__name__ + ' ')\nraise SystemExit(3)\n")

    @property
    def executed(self) -> str:
        """The names of the files that were executed."""
        return self._executed.read_text() if self._executed.exists() else ""

    def remove(self, *names: str) -> None:
        """Remove all files, or the named ones."""
        for path in self._paths:
            if not names or path.stem in names:
                path.unlink(missing_ok=True)


@pytest.fixture
def stray_modules(tmp_path: Path) -> StrayModules:
    return StrayModules(tmp_path)


@pytest.fixture
def serving(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MetastoreProcess]:
    process = MetastoreProcess(tmp_path)
    process.command = request.param
    process.is_forked = False
    try:
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize(
    "serving",
    [
        pytest.param((str(COMMAND),), id="metastore"),
        pytest.param((sys.executable, "-m", "metastore"), id="python -m metastore"),
        pytest.param((sys.executable, "-I", "-m", "metastore"), id="python -I -m metastore"),
    ],
    indirect=True,
)
async def test_the_server_and_its_children_import_no_stray_module(
    serving: MetastoreProcess, stray_modules: StrayModules, tmp_path: Path
) -> None:
    """Processing a film starts child processes."""
    if "-m" in serving.command and "-I" not in serving.command:
        # Python itself searches the working directory for the package that `-m` names.
        stray_modules.remove("metastore", "sitecustomize")
    serving.start()
    async with Client(base_url=serving.address, timeout=30) as client:
        credentials = {"username": "admin", "password": ADMIN_PASSWORD}
        await client.json_of("POST", "/api/v1/auth/login", json=credentials)
        await _process_a_film(client, tmp_path)
    assert stray_modules.executed == ""


async def test_a_worker_and_its_children_import_no_stray_module(stack: Stack, tmp_path: Path) -> None:
    """They are started by ``deploy.local``, in the folder of the stack."""
    stray_modules = StrayModules(stack.folder)
    try:
        stack.restart(stack.workers[0])
        async with signed_in(stack.address) as client:
            await _process_a_film(client, tmp_path)
        assert stray_modules.executed == ""
    finally:
        stray_modules.remove()


def test_the_command_line_imports_no_stray_module(tmp_path: Path) -> None:
    """Neither the commands of the server nor those of the client do."""
    stray_modules = StrayModules(tmp_path)
    script, module = [str(COMMAND)], [sys.executable, "-I", "-m", "metastore"]
    logout = ["logout", "--server", "http://127.0.0.1:1"]
    for command in ([*script, "migrate"], [*script, "openapi"], [*script, *logout], [*module, "migrate"]):
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert stray_modules.executed == ""


async def _process_a_film(client: Client, folder: Path) -> None:
    film = make_clip(folder / f"{new_id()}.mp4", *_FILM)
    response = await client.json_of(
        "POST", "/api/v1/files/upload", 201, files={"file": ("film.mp4", film)}, data={"path": "/"}
    )
    file_id = response["file"]["id"]

    async def is_processed() -> bool:
        file = await client.json_of("GET", f"/api/v1/files/{file_id}")
        assert file["status"] != "FAILED", file["processing"]
        return bool(file["processing"]["state"] == "DONE" and file["streamUrl"])

    await eventually(is_processed, timeout=60, interval=0.2, why="the film is processed")
