"""``metastore move-to``: move an instance to another database and object store.

Exit codes: 0 everything was copied, 1 everything was copied except objects that were damaged or missing in the source,
2 the move was refused or interrupted; run the same command again to resume it.
"""

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from metastore import bootstrap
from metastore.config import ConfigurationError, Settings
from metastore.entrypoints.cli.fsck import require_database
from metastore.entrypoints.serve import data_dir_lock
from metastore.features.uploads.service import UploadsService
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import ObjectStoreError
from metastore.processes.move.mover import Instance, MoveResult, ProgressListener, abort_unfinished_uploads, move
from metastore.processes.move.target import AlreadyMovedError, MoveRefusedError

MOVED, MOVED_WITH_LOSSES = 0, 1


def move_to(settings: Settings, new: Settings, *, abort_uploads: bool, parallel: int) -> int:
    """Move everything to the database and store of ``new``, and print a report. Return the exit code.

    Args:
        settings: the settings of the instance, which must be stopped
        new: the same settings, with the new database and store
        abort_uploads: whether to abort unfinished uploads, whose parts cannot be moved
        parallel: number of objects copied at the same time

    Raises:
        ConfigurationError: the move was refused or interrupted.
    """
    if settings.effective_database_url == new.effective_database_url:
        raise ConfigurationError("--database: this database is already in use")
    if settings.effective_storage_url == new.effective_storage_url:
        raise ConfigurationError("--storage: this object store is already in use")
    require_database(settings.effective_database_url)
    with data_dir_lock(settings.data_dir):
        try:
            moved = asyncio.run(_run(settings, new, abort_uploads=abort_uploads, parallel=parallel))
        except AlreadyMovedError:
            sys.stdout.write("Everything has been moved already, and nothing has changed here since.\n")
            return MOVED
    _report(moved, new)
    return MOVED_WITH_LOSSES if moved.objects.damaged or moved.missing else MOVED


async def _run(settings: Settings, new: Settings, *, abort_uploads: bool, parallel: int) -> MoveResult:
    await bootstrap.prepare_database(settings)
    try:
        async with _opened(settings, new, abort_uploads=abort_uploads) as (source, target):
            return await _move(source, target, new.effective_database_url, parallel)
    except MoveRefusedError as refusal:
        raise ConfigurationError(f"the move was refused: {refusal}") from None
    except (ObjectStoreError, SQLAlchemyError, OSError) as error:
        raise ConfigurationError(
            f"the move was interrupted: {str(error).splitlines()[0]}; run it again to resume"
        ) from None
    except Problem as problem:
        raise ConfigurationError(f"the move was interrupted: {problem.detail} Run it again to resume.") from None


@contextlib.asynccontextmanager
async def _opened(
    settings: Settings, new: Settings, *, abort_uploads: bool
) -> AsyncIterator[tuple[Instance, Instance]]:
    async with contextlib.AsyncExitStack() as resources:
        product = await bootstrap.build(settings, serves_sockets=False)
        resources.push_async_callback(product.aclose)
        await _check_no_others(product.database)
        if abort_uploads:
            ended = await abort_unfinished_uploads(product.database, product.services.get(UploadsService))
            sys.stdout.write(f"{ended} unfinished uploads were aborted.\n")
        database, store = await bootstrap.open_storage(new)
        resources.push_async_callback(database.aclose)
        resources.push_async_callback(store.aclose)
        yield Instance(product.database, product.store, product.consumers), Instance(database, store)


async def _check_no_others(database: Database) -> None:
    """Check that no other process is connected to PostgreSQL. The lock on the data folder covers embedded databases.

    Raises:
        MoveRefusedError: another process is connected.
    """
    if database.single_writer:
        return
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
        "AND pid <> pg_backend_pid()"
    )
    async with database.reading() as tx:
        if await tx.session.scalar(others):
            raise MoveRefusedError("the database is in use by other processes: stop the product first")


async def _move(source: Instance, target: Instance, url: str, parallel: int) -> MoveResult:
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("moving", total=None)

        def step(name: str) -> None:
            progress.update(task, description=name)
            if not console.is_terminal:
                sys.stderr.write(f"moving {name}\n")

        listener = ProgressListener(
            expect=lambda size: progress.update(task, total=size),
            advance=lambda count: progress.advance(task, count),
            step=step,
        )
        return await move(source, target, url, concurrency=parallel, listener=listener)


def _report(moved: MoveResult, new: Settings) -> None:
    lines = [f"{copied.rows:>12} rows of {copied.table}" for copied in moved.tables]
    objects = moved.objects
    lines.append(f"{objects.copied + objects.already_present:>12} objects, {objects.size} bytes, verified by checksum")
    lines.append(f"{moved.requeued:>12} deliveries of events returned to the outbox")
    lines += [f"damaged before the move: {key}: {reason}" for key, reason in sorted(objects.damaged.items())]
    lines += [f"missing before the move: the bytes of file {file_id}" for file_id in moved.missing]
    if objects.damaged or moved.missing:
        lines.append("metastore fsck --repair marks these files and notifies their owners.")
    lines += [
        "",
        "Everything was moved. Start the product with these settings:",
        f"METASTORE_DATABASE_URL={make_url(new.effective_database_url).render_as_string(hide_password=True)}",
        f"METASTORE_STORAGE_URL={shlex.quote(new.effective_storage_url)}",
        "METASTORE_S3_ACCESS_KEY_ID and METASTORE_S3_SECRET_ACCESS_KEY as they are now, if set",
        f"METASTORE_SECRET_KEY as it is now, or {new.data_dir / 'secret.key'} in each METASTORE_DATA_DIR:",
        "without it, all users have to sign in again.",
        "Do not start the old instance again: new data in it would not be moved.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
