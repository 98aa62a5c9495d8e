"""All checks of a product."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from metastore.features.files import checking
from metastore.features.files.processing import TRANSCODE
from metastore.features.files.service import FilesService
from metastore.features.media import checking as media_checking
from metastore.features.uploads import reaping
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database import Database
from metastore.kit.outbox import PUBLISHED, OutboxEvent
from metastore.ports.object_store import ObjectStore
from metastore.processes.fsck.arrivals import ArrivalsCheck
from metastore.processes.fsck.check import Check
from metastore.processes.fsck.derived import MediaCheck, PicturesCheck
from metastore.processes.fsck.events import OutboxCheck, Publish
from metastore.processes.fsck.multiparts import MultipartsCheck, UploadsCheck
from metastore.processes.fsck.objects import ObjectsCheck
from metastore.processes.fsck.quotas import QuotaCheck
from metastore.processes.fsck.renditions import PlayableCheck, RenditionsCheck
from metastore.processes.fsck.sagas import SagasCheck
from metastore.processes.fsck.stored_files import FilesCheck
from metastore.processes.relay import Relay

_PUBLISHED_WITHIN, _LOOKS = 20.0, 200
NAMED_BY = {"files/": (checking.named_keys, reaping.named_keys, media_checking.named_keys)}
"""By prefix of their keys, who may name objects."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a product that are checked, and those that mend it."""

    database: Database
    store: ObjectStore
    files: FilesService
    uploads: UploadsService
    relay: Relay | None = None
    clock: Clock = utc_now


def all_checks(
    parts: Parts, *, grace: timedelta, reads: bool, advance: Callable[[int], object] = lambda _: None
) -> dict[str, Check[Any]]:
    """By name, in an order in which a repair of one does not make findings of another.

    ``reads``: read every byte. ``grace``: how young what nobody knows must be to be left alone.
    """
    database, store, clock = parts.database, parts.store, parts.clock
    publish = publishing(database, parts.relay) if parts.relay else None
    return {
        "files": FilesCheck(database, store, reads=reads, advance=advance),
        "uploads": UploadsCheck(database, store, parts.uploads),
        "arrivals": ArrivalsCheck(database, parts.files),
        "multiparts": MultipartsCheck(database, store, grace=grace, clock=clock),
        "media": MediaCheck(database, store, grace=grace, clock=clock),
        "renditions": RenditionsCheck(database, store),
        "playable": PlayableCheck(database),
        "objects": ObjectsCheck(database, store, NAMED_BY, grace=grace, clock=clock),
        "thumbnails": PicturesCheck(database, store, checking),
        "pictures": PicturesCheck(database, store, media_checking),
        "quotas": QuotaCheck(database),
        "sagas": SagasCheck(database, clock, long_steps=[TRANSCODE]),
        "events": OutboxCheck(database, publish),
    }


def publishing(database: Database, relay: Relay, *, within: float = _PUBLISHED_WITHIN) -> Publish:
    """Has ``relay`` run until the events are published, or for ``within`` seconds.

    Once that was not enough, the bus is taken to be away and nothing is waited for any more: a broker that is down
    must not hold up the repair of each of a thousand events, which are due for the next relay all the same.
    """
    away = False

    async def publish(ids: Sequence[str]) -> bool:
        nonlocal away
        if away:
            return False
        running = asyncio.create_task(relay.run())
        try:
            for _ in range(_LOOKS):
                if await _are_published(database, ids):
                    return True
                await asyncio.sleep(within / _LOOKS)
            away = True
            return False
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return publish


async def _are_published(database: Database, ids: Sequence[str]) -> bool:
    waiting = select(func.count()).where(OutboxEvent.id.in_(ids), OutboxEvent.status != PUBLISHED)
    async with database.reading() as tx:
        return not await tx.session.scalar(waiting)
