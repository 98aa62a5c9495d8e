"""Run all steps of a move, which the package describes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from metastore.features.files.content import integrity
from metastore.features.media.objects import integrity as media
from metastore.features.uploads.multipart import cleanup
from metastore.features.uploads.service import UploadsService
from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import ObjectStore
from metastore.processes.move.file_etags import update_etags
from metastore.processes.move.objects import CopiedObjects, copy_objects, require_no_foreign_objects
from metastore.processes.move.tables import CopiedTable, copy_table, requeue_events, tables_to_copy
from metastore.processes.move.target import MoveRefusedError, Target, instance_mark

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """A database and its object store. ``consumers``, the names of all event consumers, are for a source only."""

    database: Database
    store: ObjectStore
    consumers: frozenset[str] = frozenset()


@dataclass
class MoveResult:
    """The result of a move."""

    tables: list[CopiedTable] = field(default_factory=list)
    objects: CopiedObjects = field(default_factory=CopiedObjects)
    requeued: int = 0
    missing: list[str] = field(default_factory=list)
    """Ids of files whose object is missing or incomplete in the target, as it was in the source."""


@dataclass(frozen=True, slots=True)
class ProgressListener:
    """Callbacks that report progress.

    ``expect`` gets the total number of bytes, ``advance`` the number of bytes just done, ``step`` the name of a step.
    """

    expect: Callable[[int], object] = lambda _: None
    advance: Callable[[int], object] = lambda _: None
    step: Callable[[str], object] = lambda _: None


async def abort_unfinished_uploads(database: Database, uploads: UploadsService) -> int:
    """Abort every unfinished upload and release its reservation; return their number."""
    count = 0
    while batch := await cleanup.unfinished(database, _BATCH):
        for upload in batch:
            await uploads.discard(upload, "moved to another store", even_completing=True)
            count += 1
    return count


async def move(
    source: Instance, target: Instance, url: str, *, concurrency: int, listener: ProgressListener | None = None
) -> MoveResult:
    """Move everything from ``source`` to ``target``, whose database is at ``url``.

    At most ``concurrency`` objects are copied at a time.

    Raises:
        AlreadyMovedError: everything was moved by an earlier run.
        MoveRefusedError: the move cannot be made; the message says why. Progress so far is kept for the next run.
    """
    listener = listener or ProgressListener()
    if unfinished := await cleanup.count_unfinished(source.database):
        raise MoveRefusedError(f"{unfinished} uploads are unfinished; abort them with --abort-uploads")
    destination = Target(url, target.database)
    instance = await instance_mark(source.database)
    await require_no_foreign_objects(source.store, target.store)
    await destination.claim(instance, source.database)

    moved = MoveResult()
    async with source.database.reading() as tx:
        listener.expect(await integrity.stored_bytes(tx) + await media.stored_bytes(tx))
    listener.step("objects")
    moved.objects = await copy_objects(source.store, target.store, concurrency=concurrency, advance=listener.advance)
    await destination.drop_foreign_keys()
    for table in tables_to_copy():
        listener.step(table.name)
        moved.tables.append(await copy_table(source.database, target.database, table))
    listener.step("events")
    moved.requeued = await requeue_events(source.database, target.database, source.consumers)
    listener.step("files")
    moved.missing = await update_etags(target.database, target.store)
    await destination.finish()
    return moved
