"""Run the client as a process with a state folder of its own, against one server."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fixtures.programs import COMMAND, PipedProgram, start_with_pipes

PASSWORD = "a long enough passphrase"


@dataclass
class Ended:
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """An account on a server. ``home`` holds the client's state, ``here`` is the working directory."""

    server: str
    username: str
    home: Path
    here: Path
    _running: list[PipedProgram] = field(default_factory=list)

    async def start(self, *arguments: str, server: str | None = None, **settings: str) -> PipedProgram:
        """Start the client; as the account, unless ``settings`` (environment variables) say otherwise."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("METASTORE", "XDG"))}
        environment |= {
            "XDG_STATE_HOME": str(self.home),
            "METASTORE_CLIENT_SERVER": server or self.server,
            "METASTORE_CLIENT_USERNAME": self.username,
            "METASTORE_CLIENT_PASSWORD": PASSWORD,
        }
        environment = {name: value for name, value in {**environment, **settings}.items() if value}
        process = start_with_pipes([COMMAND, *arguments], cwd=self.here, environment=environment)
        self._running.append(process)
        return process

    async def ended(self, process: PipedProgram, typed: str = "") -> Ended:
        """Type ``typed`` and wait for the run to end."""
        out, err = await asyncio.wait_for(process.communicate(typed.encode()), 60)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def run(self, *arguments: str, server: str | None = None, typed: str = "", **settings: str) -> Ended:
        """Run the client and wait for its end."""
        return await self.ended(await self.start(*arguments, server=server, **settings), typed)

    async def end(self, process: PipedProgram, number: signal.Signals) -> Ended:
        """Send a run a signal and wait for its end."""
        process.send_signal(number)
        return await self.ended(process)

    def file(self, name: str, size: int) -> Path:
        """Create a file of random bytes."""
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        return path

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx.AsyncClient]:
        """Open the server's API with a session of its own."""
        async with httpx.AsyncClient(base_url=self.server, timeout=30) as client:
            response = await client.post("/api/v1/auth/login", json={"username": self.username, "password": PASSWORD})
            response.raise_for_status()
            yield client

    async def names_in(self, path: str) -> list[str]:
        """Return the names in a folder on the server."""
        async with self.api() as api:
            response = await api.get("/api/v1/files", params={"path": path})
            return [item["name"] for item in response.json()["items"]]

    async def unfinished(self) -> list[dict[str, object]]:
        """Return the unfinished uploads on the server."""
        async with self.api() as api:
            items: list[dict[str, object]] = (await api.get("/api/v1/files/chunked-upload")).json()["items"]
            return items

    @property
    def running(self) -> list[PipedProgram]:
        """Return the runs that have not ended."""
        return [process for process in self._running if process.poll() is None]

    async def kill_all(self) -> None:
        """Kill all runs that have not ended."""
        for process in self.running:
            process.kill()
            await process.communicate()


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
