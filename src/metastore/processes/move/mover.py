"""Run the whole move; the package documents its steps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from metastore.features.files import checking
from metastore.features.media import checking as media
from metastore.features.uploads import reaping
from metastore.features.uploads.service import UploadsService
from metastore.kit.database import Database
from metastore.ports.object_store import ObjectStore
from metastore.processes.move.files import update_etags
from metastore.processes.move.objects import CopiedObjects, copy_objects, require_no_foreign_objects
from metastore.processes.move.tables import CopiedTable, copy_table, requeue_events, tables_to_copy
from metastore.processes.move.target import MoveRefusedError, Target, instance_mark

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """A database and its object store. ``consumers`` are the names of all event consumers, for a source only."""

    database: Database
    store: ObjectStore
    consumers: frozenset[str] = frozenset()


@dataclass
class Moved:
    """The result of a move."""

    tables: list[CopiedTable] = field(default_factory=list)
    objects: CopiedObjects = field(default_factory=CopiedObjects)
    requeued: int = 0
    missing: list[str] = field(default_factory=list)
    """Ids of files whose object is missing or incomplete in the target, as it was in the source."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks that report progress.

    ``expect`` gets the total number of bytes, ``advance`` the number of bytes just done, ``step`` the name of a step.
    """

    expect: Callable[[int], object] = lambda _: None
    advance: Callable[[int], object] = lambda _: None
    step: Callable[[str], object] = lambda _: None


async def end_uploads(database: Database, uploads: UploadsService) -> int:
    """Abort every unfinished upload and release its reservation; return their number."""
    ended = 0
    while batch := await reaping.unfinished(database, _BATCH):
        for upload in batch:
            # One that is whole in the store becomes its file.
            await uploads.expire(upload, "moved to another store")
            if await reaping.find_unfinished(database, upload.id) is not None:
                await uploads.drop_whole(upload.id, "moved to another store")
                await uploads.release_in_store(upload.object_key, upload.store_upload_id)
            ended += 1
    return ended


async def move(source: Instance, target: Instance, url: str, *, at_once: int, watcher: Watcher | None = None) -> Moved:
    """Move everything from ``source`` to ``target``, whose database is at ``url``.

    At most ``at_once`` objects are copied at a time.

    Raises:
        MovedBeforeError: everything was moved by an earlier run.
        MoveRefusedError: the move cannot be made; the message says why. Progress so far is kept for the next run.
    """
    watcher = watcher or Watcher()
    if unfinished := await reaping.count_unfinished(source.database):
        raise MoveRefusedError(f"{unfinished} uploads are unfinished; abort them with --abort-uploads")
    destination = Target(url, target.database)
    instance = await instance_mark(source.database)
    await require_no_foreign_objects(source.store, target.store)
    await destination.claim(instance, source.database)

    moved = Moved()
    async with source.database.reading() as tx:
        watcher.expect(await checking.stored_bytes(tx) + await media.stored_bytes(tx))
    watcher.step("objects")
    moved.objects = await copy_objects(source.store, target.store, at_once=at_once, advance=watcher.advance)
    await destination.drop_foreign_keys()
    for table in tables_to_copy():
        watcher.step(table.name)
        moved.tables.append(await copy_table(source.database, target.database, table))
    watcher.step("events")
    moved.requeued = await requeue_events(source.database, target.database, source.consumers)
    watcher.step("files")
    moved.missing = await update_etags(target.database, target.store)
    await destination.finish()
    return moved
