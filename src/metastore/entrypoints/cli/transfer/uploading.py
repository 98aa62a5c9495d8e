"""``metastore upload``: everything that was named, a few files at a time."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from metastore.entrypoints.cli.transfer.failures import TransferError
from metastore.entrypoints.cli.transfer.parallel import in_parallel
from metastore.entrypoints.cli.transfer.progress import Board, amount
from metastore.entrypoints.cli.transfer.records import forget_old_records
from metastore.entrypoints.cli.transfer.remote import make_folder, unfinished_uploads
from metastore.entrypoints.cli.transfer.signing_in import Connection, signed_in
from metastore.entrypoints.cli.transfer.sources import Found, Source, find_sources, normal_folder
from metastore.entrypoints.cli.transfer.upload import Road, Upload

# A part is answered once it is on disk, which a busy server may take its time for.
PART_TIMEOUT = httpx.Timeout(120, connect=10)


@dataclass
class _Run:
    board: Board
    road: Road
    failures: int = 0

    async def upload(self, source: Source) -> None:
        with self.board.file(source.name, source.size) as bar:
            try:
                file, sent = await Upload(self.road, source, bar).run()
            except (TransferError, OSError) as error:
                self.fail(str(source.path), error)
            else:
                self.board.done(f"{source.path} → {file.path}{'' if sent else ' (was there already)'}")

    async def make_folder(self, path: str) -> None:
        try:
            await make_folder(self.road.api, path)
        except TransferError as error:
            self.fail(path, error)

    def fail(self, name: str, error: Exception) -> None:
        self.failures += 1
        self.board.failed(name, (error.strerror if isinstance(error, OSError) else None) or str(error))


async def upload_all(paths: list[Path], to: str, connection: Connection, parallel: int, *, ask: bool) -> int:
    """Upload ``paths`` into the folder ``to``, ``parallel`` parts at a time; returns the exit code.

    Raises:
        UsageError: a path leads nowhere, or nobody is signed in.
        TransferError: signing in failed.
    """
    target = normal_folder(to)
    found = await asyncio.to_thread(find_sources, paths, target)
    await asyncio.to_thread(forget_old_records)
    board = Board("Uploading", found.size)
    async with signed_in(connection, board.trouble) as api, client(parallel) as parts:
        question = f"Upload {_described(found)} to {target} on {api.server} as {api.username}?"
        if ask and found.whole_folders and not await asyncio.to_thread(_agreed, question):
            return 0
        unfinished = {(item.path, item.name, item.size): item.upload_id async for item in unfinished_uploads(api)}
        run = _Run(board, Road(api, parts, asyncio.Semaphore(parallel), parallel, unfinished))
        with board:
            for folder in found.empty_folders:
                await run.make_folder(folder)
            await in_parallel(found.files, run.upload, parallel)
    return 1 if run.failures else 0


def client(parallel: int) -> httpx.AsyncClient:
    """A client for parts: without cookies, and with as many connections as may be used at once."""
    limits = httpx.Limits(max_connections=parallel + 1, max_keepalive_connections=parallel + 1)
    return httpx.AsyncClient(timeout=PART_TIMEOUT, limits=limits)


def _described(found: Found) -> str:
    return f"{len(found.files)} {'file' if len(found.files) == 1 else 'files'} ({amount(found.size)})"


def _agreed(question: str) -> bool:
    sys.stderr.write(f"{question} [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"", "y", "yes"}
