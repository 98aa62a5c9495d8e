"""copyparty: uploads by its up2k protocol, with chunk digests computed in advance; plain downloads."""

import base64
import hashlib
import importlib
import sys
import time
from pathlib import Path

import httpx

from benchmarks.contender import PARALLEL, Uploaded
from benchmarks.load import Load, Send, parts_of
from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

_DIGEST_BYTES = 33


class Copyparty:
    """A contender that does not sync uploads."""

    name = "copyparty"
    many_readers = True

    def __init__(self, load: Load, folder: Path, size: int) -> None:
        self._load = load
        self._files = folder / "files"
        self._files.mkdir()
        load.write_file(self._files / "whole", size)
        port = free_port()
        command = [sys.executable, "-m", "copyparty", "-q", "-i", "127.0.0.1", "-p", str(port), "--no-thumb"]
        environment = {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
        self.process = ServerProcess([*command, "-v", f"{self._files}::rwmd"], port, folder, environment)
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._chunks: dict[int, list[tuple[int, int, str]]] = {}
        self._name = ""

    @property
    def files(self) -> Path:
        """Return the folder that it serves."""
        return self._files

    def upload(self, size: int) -> Uploaded:
        """Send the opening handshake, the chunks and the closing handshake."""
        chunks = self._chunks_of(size)
        self._name = f"up-{time.time_ns()}"
        # A new modification time, so that copyparty does not link it to the last file.
        description = {
            "name": self._name,
            "size": size,
            "lmod": time.time_ns() // 10**9,
            "hash": [c[2] for c in chunks],
        }
        opening = self._handshake(description)
        requests = [
            Send(
                "POST",
                str(opening["purl"]),
                offset,
                length,
                (f"X-Up2k-Hash: {digest}", f"X-Up2k-Wark: {opening['wark']}", "Content-Type: application/octet-stream"),
            )
            for offset, length, digest in chunks
        ]
        sent = self._load.send(self.process.port, requests, PARALLEL)
        started = time.perf_counter()
        if self._handshake(description)["hash"]:
            raise RuntimeError("copyparty is missing chunks")
        return Uploaded(sent.seconds + time.perf_counter() - started, durable=False, files=[self._files / self._name])

    def clear(self) -> None:
        """Delete the last upload."""
        self._api.post(f"/{self._name}", params={"delete": ""}).raise_for_status()

    def download_path(self) -> str:
        """Return the path of the file written at start."""
        return "/whole"

    def end(self) -> None:
        """Stop the server."""
        self._api.close()
        self.process.end()

    def _handshake(self, description: dict[str, object]) -> dict[str, object]:
        response = self._api.post("/", json=description)
        response.raise_for_status()
        parsed: dict[str, object] = response.json()
        return parsed

    def _chunks_of(self, size: int) -> list[tuple[int, int, str]]:
        if size not in self._chunks:
            chunk_size: int = importlib.import_module("copyparty.up2k").up2k_chunksize(size)
            self._chunks[size] = [
                (offset, length, _digest(self._load.content(offset, length)))
                for offset, length in parts_of(size, chunk_size)
            ]
        return self._chunks[size]


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha512(content).digest()[:_DIGEST_BYTES]).decode()
