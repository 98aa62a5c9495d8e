"""``metastore download``: everything that was named, a few files at a time."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from metastore.entrypoints.cli.transfer.api import Api
from metastore.entrypoints.cli.transfer.download import Download, Road, Wanted
from metastore.entrypoints.cli.transfer.failures import TransferError
from metastore.entrypoints.cli.transfer.parallel import in_parallel
from metastore.entrypoints.cli.transfer.progress import Board
from metastore.entrypoints.cli.transfer.remote import children, find
from metastore.entrypoints.cli.transfer.signing_in import Connection, signed_in
from metastore.entrypoints.cli.transfer.uploading import client
from metastore.entrypoints.cli.transfer.wire import RemoteFile, RemoteFolder


@dataclass
class _Run:
    board: Board
    api: Api
    failures: int = 0

    async def find(self, place: str, to: Path) -> list[Wanted]:
        """The files that ``place`` stands for; folders are made here on the way."""
        try:
            found = await find(self.api, place)
            if isinstance(found, RemoteFile):
                return [Wanted(found, to / safe_name(found.name))]
            return await self._inside(found, to / safe_name(found.name) if found else to)
        except (TransferError, OSError) as error:
            self.fail(place, error)
            return []

    async def _inside(self, folder: RemoteFolder | None, to: Path) -> list[Wanted]:
        await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
        wanted: list[Wanted] = []
        inside = children(self.api, parent_id=folder.id) if folder else children(self.api, path="/")
        async for item in inside:
            path = to / safe_name(item.name)
            wanted += [Wanted(item, path)] if isinstance(item, RemoteFile) else await self._inside(item, path)
        return wanted

    async def fetch(self, road: Road, wanted: Wanted) -> None:
        with self.board.file(wanted.file.name, wanted.file.size) as bar:
            try:
                fetched = await Download(road, wanted, bar).run()
            except (TransferError, OSError) as error:
                self.fail(wanted.file.path, error)
            else:
                self.board.done(f"{wanted.file.path} → {wanted.path}{'' if fetched else ' (was there already)'}")

    def fail(self, name: str, error: Exception) -> None:
        self.failures += 1
        self.board.failed(name, (error.strerror if isinstance(error, OSError) else None) or str(error))


async def download_all(places: list[str], to: Path, connection: Connection, parallel: int, *, overwrite: bool) -> int:
    """Download ``places`` into the folder ``to``, ``parallel`` pieces at a time; returns the exit code.

    Raises:
        UsageError: nobody is signed in.
        TransferError: signing in failed.
    """
    board = Board("Downloading", 0)
    async with signed_in(connection, board.trouble) as api, client(parallel) as parts:
        run = _Run(board, api)
        wanted = [file for place in places for file in await run.find(place, to)]
        board.expect(sum(file.file.size for file in wanted))
        road = Road(api, parts, asyncio.Semaphore(parallel), parallel, overwrite)
        with board:
            await in_parallel(wanted, lambda file: run.fetch(road, file), parallel)
    return 1 if run.failures else 0


def safe_name(name: str) -> str:
    """``name``, when it can only be a name: a server must not choose where a file goes.

    Raises:
        TransferError: it is something else.
    """
    if name in {"", ".", ".."} or any(character in name for character in "/\\\0"):
        raise TransferError(f"The server calls it {name!r}, which is no name for a file")
    return name
