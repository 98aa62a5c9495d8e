"""MetaStore: ``metastore serve`` with the embedded store, used as any client uses it."""

import sys
import time
from pathlib import Path

import httpx

from benchmarks.contender import PARALLEL, PART_SIZE, Uploaded
from benchmarks.load import Load, Send, parts_of
from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

_PASSWORD = "benchmarks are quick"  # noqa: S105  for a server that runs for minutes on the loopback
_UPLOADS = "/api/v1/files/chunked-upload"
_CLEARED_SECONDS = 30


class MetaStore:
    """A contender that acknowledges a part when it is on disk. The time of ``complete`` counts as upload."""

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
        self._uploaded_id = ""
        self._served_id = ""
        if size:
            self.upload(size)
            self._served_id, self._uploaded_id = self._uploaded_id, ""

    @property
    def port(self) -> int:
        """Return the port."""
        return self._port

    @property
    def database(self) -> Path:
        """Return the path of the SQLite database."""
        return self._data / "metastore.db"

    @property
    def api(self) -> httpx.Client:
        """Return a client of a signed-in user."""
        return self._api

    @property
    def cookie(self) -> str:
        """Return the cookie header of a signed-in user."""
        return "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._api.cookies.jar)

    def upload(self, size: int) -> Uploaded:
        """Initiate an upload, send its parts and complete it."""
        initiated = self._post(f"{_UPLOADS}/initiate", {"name": "film.bin", "path": "/", "size": size})
        urls = [str(url).removeprefix(str(self._api.base_url).rstrip("/")) for url in initiated["uploadUrls"]]
        requests = [
            Send("PUT", url, offset, length)
            for url, (offset, length) in zip(urls, parts_of(size, PART_SIZE), strict=True)
        ]
        sent = self._load.send(self._port, requests, PARALLEL)
        parts = [{"partNumber": number, "etag": etag} for number, etag in enumerate(sent.etags, 1)]
        started = time.perf_counter()
        self._post(
            f"{_UPLOADS}/complete", {"fileId": initiated["fileId"], "uploadId": initiated["uploadId"], "parts": parts}
        )
        completing = time.perf_counter() - started
        self._uploaded_id = str(initiated["fileId"])
        return Uploaded(sent.seconds + completing, durable=True, files=[])

    def clear(self) -> None:
        """Purge the last upload and wait until its object is deleted."""
        before = self._used()
        self._api.delete(f"/api/v1/files/{self._uploaded_id}").raise_for_status()
        self._api.delete(f"/api/v1/trash/{self._uploaded_id}").raise_for_status()
        deadline = time.monotonic() + _CLEARED_SECONDS
        while self._used() >= before and time.monotonic() < deadline:
            time.sleep(0.05)

    def download_path(self) -> str:
        """Return the presigned URL of the file uploaded at start."""
        response = self._api.get(f"/api/v1/files/{self._served_id}/download", follow_redirects=False)
        return response.headers["location"].removeprefix(str(self._api.base_url).rstrip("/"))

    def end(self) -> None:
        """Stop the server."""
        self._api.close()
        self.process.end()

    def _used(self) -> int:
        return sum(path.stat().st_blocks for path in (self._data / "objects").rglob("*") if path.is_file())

    def _post(self, path: str, body: object) -> dict[str, list[str] | str]:
        response = self._api.post(path, json=body)
        response.raise_for_status()
        parsed: dict[str, list[str] | str] = response.json()
        return parsed
