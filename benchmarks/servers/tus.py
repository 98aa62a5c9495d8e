"""The tus server for Node.js: PATCHes of 5 MiB to three uploads at once, because one upload accepts one at a time.

It does not serve ranges, and serves a file to only one client at a time.
"""

import subprocess
from pathlib import Path

import httpx

from benchmarks.contender import PARALLEL, PART_SIZE, Uploaded
from benchmarks.load import Load, Send, parts_of
from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

_HERE = Path(__file__).parent.parent / "tus"
_VERSION = "Tus-Resumable: 1.0.0"


class Tus:
    """A contender that does not sync uploads."""

    name = "tus (Node.js)"
    many_readers = False

    def __init__(self, load: Load, folder: Path, size: int) -> None:
        if not (_HERE / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=_HERE, check=True)
        self._load = load
        self._files = folder / "files"
        self._files.mkdir()
        port = free_port()
        self.process = ServerProcess(["node", str(_HERE / "server.js"), str(port), str(self._files)], port, folder)
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._served_path = self._create(size)
        requests = [
            Send("PATCH", self._served_path, offset, length, self._headers(offset), 0)
            for offset, length in parts_of(size, PART_SIZE)
        ]
        load.send(port, requests, 1)

    def upload(self, size: int) -> Uploaded:
        """Upload three thirds at once."""
        third = -(-size // PARALLEL // PART_SIZE) * PART_SIZE
        requests = []
        for lane, (start, length) in enumerate(parts_of(size, third)):
            path = self._create(length)
            requests += [
                Send("PATCH", path, start + offset, count, self._headers(offset), lane)
                for offset, count in parts_of(length, PART_SIZE)
            ]
        sent = self._load.send(self.process.port, requests, PARALLEL)
        return Uploaded(sent.seconds, durable=False, files=self._uploaded())

    def clear(self) -> None:
        """Delete the files."""
        for path in self._uploaded():
            path.unlink()

    def download_path(self) -> str:
        """Return the path of the file uploaded at start."""
        return self._served_path

    def end(self) -> None:
        """Stop the server."""
        self._api.close()
        self.process.end()

    def _create(self, size: int) -> str:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size)}
        response = self._api.post("/files", headers=headers)
        response.raise_for_status()
        return httpx.URL(response.headers["location"]).path

    def _headers(self, offset: int) -> tuple[str, ...]:
        return (_VERSION, f"Upload-Offset: {offset}", "Content-Type: application/offset+octet-stream")

    def _uploaded(self) -> list[Path]:
        return [path for path in self._files.iterdir() if not path.name.startswith(Path(self._served_path).name)]
