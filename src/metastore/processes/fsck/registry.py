"""All checks, and the order in which they run."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from metastore.features.files.content import integrity
from metastore.features.files.content.processing import TRANSCODE
from metastore.features.files.service import FilesService
from metastore.features.media.objects import integrity as media
from metastore.features.uploads.multipart import cleanup
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import PUBLISHED, OutboxEvent
from metastore.ports.object_store import ObjectStore
from metastore.processes.fsck.check import Check
from metastore.processes.fsck.derived_objects import DerivedImagesCheck, MediaCheck
from metastore.processes.fsck.multipart_uploads import MultipartsCheck, UploadsCheck
from metastore.processes.fsck.orphan_objects import ObjectsCheck
from metastore.processes.fsck.outbox import OutboxCheck, Publish
from metastore.processes.fsck.quotas import QuotaCheck
from metastore.processes.fsck.renditions import PlayableCheck, RenditionsCheck
from metastore.processes.fsck.sagas import SagasCheck
from metastore.processes.fsck.stored_files import FilesCheck
from metastore.processes.fsck.stranded_files import StrandedFilesCheck
from metastore.processes.relay import Relay

_PUBLISH_TIMEOUT = 20.0
"""Seconds to wait until the relay has published the events of a repair."""
_POLLS = 200
"""How often the outbox is polled within that time."""
REFERENCED_BY = {"files/": (integrity.referenced_keys, cleanup.referenced_keys, media.referenced_keys)}
"""The queries that return which objects the rows of a feature refer to, by key prefix."""


@dataclass(frozen=True, slots=True)
class Components:
    """What is checked, and what repairs it."""

    database: Database
    store: ObjectStore
    files: FilesService
    uploads: UploadsService
    relay: Relay | None = None
    clock: Clock = utc_now


def all_checks(
    parts: Components, *, grace: timedelta, reads: bool, advance: Callable[[int], object] = lambda _: None
) -> dict[str, Check[Any]]:
    """Return all checks by name, ordered so that the repairs of one cause no findings in the others.

    With ``reads``, every byte is read and verified. Objects and multipart uploads without a row are skipped while they
    are younger than ``grace``. ``advance`` is called with the number of bytes checked.
    """
    database, store, clock = parts.database, parts.store, parts.clock
    publish = relay_publisher(database, parts.relay) if parts.relay else None
    return {
        "files": FilesCheck(database, store, reads=reads, advance=advance),
        "uploads": UploadsCheck(database, store, parts.uploads),
        "stranded files": StrandedFilesCheck(database, parts.files),
        "multiparts": MultipartsCheck(database, store, grace=grace, clock=clock),
        "media": MediaCheck(database, store, grace=grace, clock=clock),
        "renditions": RenditionsCheck(database, store),
        "playable": PlayableCheck(database),
        "objects": ObjectsCheck(database, store, REFERENCED_BY, grace=grace, clock=clock),
        "thumbnails": DerivedImagesCheck(database, store, integrity),
        "previews": DerivedImagesCheck(database, store, media),
        "quotas": QuotaCheck(database),
        "sagas": SagasCheck(database, clock, long_steps=[TRANSCODE]),
        "events": OutboxCheck(database, publish),
    }


def relay_publisher(database: Database, relay: Relay, *, timeout: float = _PUBLISH_TIMEOUT) -> Publish:
    """Return a function that runs ``relay`` until the given events are published, for at most ``timeout`` seconds.

    After the first timeout the bus is considered unavailable, and further calls return at once. Otherwise an
    unavailable broker would delay the repair of each of a thousand events, which are due for the next relay anyway.
    """
    is_unavailable = False

    async def publish(ids: Sequence[str]) -> bool:
        nonlocal is_unavailable
        if is_unavailable:
            return False
        running = asyncio.create_task(relay.run())
        try:
            for _ in range(_POLLS):
                if await _are_published(database, ids):
                    return True
                await asyncio.sleep(timeout / _POLLS)
            is_unavailable = True
            return False
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return publish


async def _are_published(database: Database, ids: Sequence[str]) -> bool:
    waiting = select(func.count()).where(OutboxEvent.id.in_(ids), OutboxEvent.status != PUBLISHED)
    async with database.reading() as tx:
        return not await tx.session.scalar(waiting)
