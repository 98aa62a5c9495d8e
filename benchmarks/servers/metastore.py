"""MetaStore itself: ``metastore serve`` with the embedded store, asked as any client asks it."""

import sys
import time
from pathlib import Path

import httpx

from benchmarks.contender import PARALLEL, PART_SIZE, Uploaded
from benchmarks.load import Load, Send, parts_of
from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

_PASSWORD = "benchmarks are quick"  # noqa: S105  of a server that lives for minutes on the loopback
_UPLOADS = "/api/v1/files/chunked-upload"
_CLEARED_SECONDS = 30


class MetaStore:
    """Parts by presigned URLs, each on disk before its answer; ``complete`` is part of the upload."""

    name = "MetaStore"
    many_readers = True

    def __init__(self, load: Load, folder: Path, size: int) -> None:
        self._load = load
        self._data = folder / "data"
        self._port = free_port()
        command = [str(Path(sys.executable).parent / "metastore"), "serve", "--port", str(self._port)]
        environment = {
            "METASTORE_ADMIN_USERNAME": "admin",
            "METASTORE_ADMIN_PASSWORD": _PASSWORD,
            "METASTORE_PRESIGN_TTL": "7200",
        }
        self.process = ServerProcess([*command, "--data-dir", str(self._data)], self._port, folder, environment)
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=60)
        self._post("/api/v1/auth/login", {"username": "admin", "password": _PASSWORD})
        self._last = ""
        self._kept = ""
        if size:
            self.upload(size)
            self._kept, self._last = self._last, ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def cookie(self) -> str:
        """The header of a signed-in user."""
        return "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._api.cookies.jar)

    def upload(self, size: int) -> Uploaded:
        """Initiate, send, complete; see the contender."""
        begun = self._post(f"{_UPLOADS}/initiate", {"name": "film.bin", "path": "/", "size": size})
        urls = [str(url).removeprefix(str(self._api.base_url).rstrip("/")) for url in begun["uploadUrls"]]
        requests = [
            Send("PUT", url, offset, length)
            for url, (offset, length) in zip(urls, parts_of(size, PART_SIZE), strict=True)
        ]
        sent = self._load.send(self._port, requests, PARALLEL)
        parts = [{"partNumber": number, "etag": etag} for number, etag in enumerate(sent.etags, 1)]
        started = time.perf_counter()
        self._post(f"{_UPLOADS}/complete", {"fileId": begun["fileId"], "uploadId": begun["uploadId"], "parts": parts})
        completing = time.perf_counter() - started
        self._last = str(begun["fileId"])
        return Uploaded(sent.seconds + completing, durable=True, files=[])

    def clear(self) -> None:
        """Delete the last file for good and wait until its bytes are gone."""
        before = self._used()
        self._api.delete(f"/api/v1/files/{self._last}").raise_for_status()
        self._api.delete(f"/api/v1/trash/{self._last}").raise_for_status()
        deadline = time.monotonic() + _CLEARED_SECONDS
        while self._used() >= before and time.monotonic() < deadline:
            time.sleep(0.05)

    def download_path(self) -> str:
        """The presigned address of the file that was uploaded first."""
        answer = self._api.get(f"/api/v1/files/{self._kept}/download", follow_redirects=False)
        return answer.headers["location"].removeprefix(str(self._api.base_url).rstrip("/"))

    def end(self) -> None:
        """End the server."""
        self._api.close()
        self.process.end()

    def _used(self) -> int:
        return sum(path.stat().st_blocks for path in (self._data / "objects").rglob("*") if path.is_file())

    def _post(self, path: str, body: object) -> dict[str, list[str] | str]:
        answer = self._api.post(path, json=body)
        answer.raise_for_status()
        read: dict[str, list[str] | str] = answer.json()
        return read
