"""``metastore download``: download several files in parallel, with progress bars."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from metastore.client.api import Api
from metastore.client.download import Download, DownloadContext, RequestedFile
from metastore.client.errors import TransferError
from metastore.client.parallel import in_parallel
from metastore.client.remote_tree import children, find
from metastore.client.responses import RemoteFile, RemoteFolder
from metastore.client.storage import storage_client
from metastore.entrypoints.cli.transfer.connection import Connection
from metastore.entrypoints.cli.transfer.progress import Board
from metastore.entrypoints.cli.transfer.sign_in import signed_in


@dataclass
class _Run:
    board: Board
    api: Api
    failures: int = 0

    async def find(self, place: str, to: Path) -> list[RequestedFile]:
        """Return the files at ``place``, and create the local folders for them."""
        try:
            found = await find(self.api, place)
            if isinstance(found, RemoteFile):
                return [RequestedFile(found, to / safe_name(found.name))]
            return await self._list(found, to / safe_name(found.name) if found else to)
        except (TransferError, OSError) as error:
            self.fail(place, error)
            return []

    async def _list(self, folder: RemoteFolder | None, to: Path) -> list[RequestedFile]:
        await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
        requested: list[RequestedFile] = []
        items = children(self.api, parent_id=folder.id) if folder else children(self.api, path="/")
        async for item in items:
            path = to / safe_name(item.name)
            requested += [RequestedFile(item, path)] if isinstance(item, RemoteFile) else await self._list(item, path)
        return requested

    async def fetch(self, context: DownloadContext, requested: RequestedFile) -> None:
        with self.board.file(requested.file.name, requested.file.size) as bar:
            try:
                fetched = await Download(context, requested, bar).run()
            except (TransferError, OSError) as error:
                self.fail(requested.file.path, error)
            else:
                self.board.done(f"{requested.file.path} → {requested.path}{'' if fetched else ' (already there)'}")

    def fail(self, name: str, error: Exception) -> None:
        self.failures += 1
        self.board.failed(name, (error.strerror if isinstance(error, OSError) else None) or str(error))


async def download_all(places: list[str], to: Path, connection: Connection, parallel: int, *, overwrite: bool) -> int:
    """Download ``places`` into the folder ``to``, ``parallel`` pieces at a time, and return the exit code.

    Raises:
        UsageError: not signed in.
        TransferError: signing in failed.
    """
    board = Board("Downloading", 0)
    async with signed_in(connection, board.waiting) as api, storage_client(parallel) as parts:
        run = _Run(board, api)
        requested = [file for place in places for file in await run.find(place, to)]
        board.expect(sum(file.file.size for file in requested))
        context = DownloadContext(api, parts, asyncio.Semaphore(parallel), parallel, overwrite)
        with board:
            await in_parallel(requested, lambda file: run.fetch(context, file), parallel)
    return 1 if run.failures else 0


def safe_name(name: str) -> str:
    """Return ``name`` if it is a plain file name: a server must not choose the folder of a file.

    Raises:
        TransferError: it contains a path.
    """
    if name in {"", ".", ".."} or any(character in name for character in "/\\\0"):
        raise TransferError(f"The server returned {name!r}, which is not a valid file name")
    return name
