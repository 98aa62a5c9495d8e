"""The move from beginning to end; the package tells the steps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from metastore.features.files import checking
from metastore.features.media import checking as media
from metastore.features.uploads import reaping
from metastore.features.uploads.service import UploadsService
from metastore.kit.database import Database
from metastore.ports.object_store import ObjectStore
from metastore.processes.move.files import settle_files
from metastore.processes.move.objects import Carried, carry_objects, refuse_strangers
from metastore.processes.move.tables import Copied, carried_tables, copy_table, requeue
from metastore.processes.move.target import MoveRefusedError, Target, name_of_instance

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """A database and the object store that belongs to it; of a source also the names of all its consumers."""

    database: Database
    store: ObjectStore
    consumers: frozenset[str] = frozenset()


@dataclass
class Moved:
    """What a move came to."""

    tables: list[Copied] = field(default_factory=list)
    objects: Carried = field(default_factory=Carried)
    requeued: int = 0
    missing: list[str] = field(default_factory=list)
    """Ids of files whose object the new store does not have, since the old one had not got it whole either."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Is told how far the move is: of bytes to come, of bytes dealt with, and of steps in words."""

    expect: Callable[[int], object] = lambda _: None
    advance: Callable[[int], object] = lambda _: None
    step: Callable[[str], object] = lambda _: None


async def end_uploads(database: Database, uploads: UploadsService) -> int:
    """End every unfinished upload, and release what is reserved for it; how many there were."""
    ended = 0
    while batch := await reaping.unfinished(database, _BATCH):
        for upload in batch:
            await uploads.discard(upload, "moved to another store", even_completing=True)
            ended += 1
    return ended


async def move(source: Instance, target: Instance, url: str, *, at_once: int, watcher: Watcher | None = None) -> Moved:
    """Carry everything from ``source`` to ``target``, whose database is at ``url``.

    Raises:
        MovedBeforeError: there is nothing left to carry.
        MoveRefusedError: see the message; what was done so far is kept for the next run.
    """
    watcher = watcher or Watcher()
    if unfinished := await reaping.count_unfinished(source.database):
        raise MoveRefusedError(f"{unfinished} uploads are not finished; end them with --abort-uploads")
    claimed = Target(url, target.database)
    instance = await name_of_instance(source.database)
    await refuse_strangers(source.store, target.store)
    await claimed.claim(instance, source.database)

    moved = Moved()
    async with source.database.reading() as tx:
        watcher.expect(await checking.stored_bytes(tx) + await media.stored_bytes(tx))
    watcher.step("objects")
    moved.objects = await carry_objects(source.store, target.store, at_once=at_once, advance=watcher.advance)
    await claimed.put_aside_foreign_keys()
    for table in carried_tables():
        watcher.step(table.name)
        moved.tables.append(await copy_table(source.database, target.database, table))
    watcher.step("events")
    moved.requeued = await requeue(source.database, target.database, source.consumers)
    watcher.step("files")
    moved.missing = await settle_files(target.database, target.store)
    await claimed.finish()
    return moved
