"""``metastore upload``: upload several files in parallel, and small ones in batches, with progress bars."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from metastore.client.batch import Batches, Outcome
from metastore.client.errors import TransferError
from metastore.client.parallel import in_parallel
from metastore.client.remote_tree import create_folder, unfinished_uploads
from metastore.client.sources import Found, Source, find_sources, normal_folder
from metastore.client.storage import storage_client
from metastore.client.upload import Upload, UploadContext
from metastore.client.upload_records import delete_old_records
from metastore.entrypoints.cli.terminal import amount
from metastore.entrypoints.cli.transfer.connection import Connection
from metastore.entrypoints.cli.transfer.progress import Board
from metastore.entrypoints.cli.transfer.sign_in import signed_in


@dataclass
class _Run:
    board: Board
    context: UploadContext
    batches: Batches
    failures: int = 0

    async def upload_all(self, files: list[Source]) -> None:
        async with self.batches.lock(self.board.waiting):
            plan = await self.batches.plan(files)
            for outcome in plan.done:
                self.report(outcome, sent=False)
            await in_parallel(plan.batches, self.upload_batch, self.context.parallel)
        await in_parallel(plan.alone, self.upload, self.context.parallel)

    async def upload_batch(self, sources: list[Source]) -> None:
        with self.board.file(f"{len(sources)} files", sum(source.size for source in sources)) as bar:
            outcomes = await self.batches.upload(sources, bar)
            alone = [outcome.source for outcome in outcomes if outcome.is_undecided]
            bar.leave(sum(source.size for source in alone))
        for outcome in outcomes:
            self.report(outcome)
        await in_parallel(alone, self.upload, self.context.parallel)

    def report(self, outcome: Outcome, *, sent: bool = True) -> None:
        if outcome.error:
            self.fail(str(outcome.source.path), outcome.error)
        elif outcome.file:
            self.board.done(f"{outcome.source.path} → {outcome.file.path}{'' if sent else ' (already there)'}")

    async def upload(self, source: Source) -> None:
        with self.board.file(source.name, source.size) as bar:
            try:
                file, sent = await Upload(self.context, source, bar).run()
            except (TransferError, OSError) as error:
                self.fail(str(source.path), error)
            else:
                self.board.done(f"{source.path} → {file.path}{'' if sent else ' (already there)'}")

    async def create_folder(self, path: str) -> None:
        try:
            await create_folder(self.context.api, path)
        except TransferError as error:
            self.fail(path, error)

    def fail(self, name: str, error: Exception) -> None:
        self.failures += 1
        self.board.failed(name, (error.strerror if isinstance(error, OSError) else None) or str(error))


async def upload_all(paths: list[Path], to: str, connection: Connection, parallel: int, *, ask: bool) -> int:
    """Upload ``paths`` into the folder ``to``, ``parallel`` parts at a time, and return the exit code.

    Raises:
        UsageError: a path does not exist, or not signed in.
        TransferError: signing in failed.
    """
    target = normal_folder(to)
    found = await asyncio.to_thread(find_sources, paths, target)
    await asyncio.to_thread(delete_old_records)
    board = Board("Uploading", found.size)
    async with signed_in(connection, board.waiting) as api, storage_client(parallel) as parts:
        question = f"Upload {_described(found)} to {target} on {api.server} as {api.username}?"
        if ask and found.has_folders and not await asyncio.to_thread(_confirm, question):
            return 0
        unfinished = {(item.path, item.name, item.size): item.upload_id async for item in unfinished_uploads(api)}
        context = UploadContext(api, parts, asyncio.Semaphore(parallel), parallel, unfinished)
        run = _Run(board, context, Batches(context))
        with board:
            for folder in found.empty_folders:
                await run.create_folder(folder)
            await run.upload_all(found.files)
    return 1 if run.failures else 0


def _described(found: Found) -> str:
    return f"{len(found.files)} {'file' if len(found.files) == 1 else 'files'} ({amount(found.size)})"


def _confirm(question: str) -> bool:
    sys.stderr.write(f"{question} [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"", "y", "yes"}
