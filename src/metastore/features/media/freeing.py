"""Deleting what a step had made, though the store may be away just then, for that is often why the step failed.

Then a fact is recorded in its place, together with whatever makes the objects unwanted, and they are deleted when the
store is back. A saga that is taken back need not wait for that.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from itertools import chain

import structlog

from metastore.features.media.events import MediaDropped
from metastore.features.media.originals import delete_all
from metastore.features.media.storing import keys_of
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_log = structlog.get_logger(__name__)
_SECONDS = 10.0


async def free(
    store: ObjectStore, file_id: str, *, renditions: Mapping[str, int] | None = None, keys: Collection[str] = ()
) -> MediaDropped | None:
    """Delete renditions (their prefixes, and how many segments there may be without a row's) and other objects.

    Returns what is to be recorded because that did not succeed.
    """
    dropped = MediaDropped(file_id=file_id, renditions=dict(renditions or {}), object_keys=sorted(keys))
    if not dropped.renditions and not dropped.object_keys:
        return None
    try:
        async with asyncio.timeout(_SECONDS):
            await delete_all(store, keys_dropped(dropped))
    except (ObjectStoreError, TimeoutError) as error:
        _log.warning("objects are deleted later", file_id=file_id, error=repr(error))
        return dropped
    return None


def keys_dropped(dropped: MediaDropped) -> Iterable[str]:
    """Every key under which there may be something of it."""
    renditions = chain.from_iterable(keys_of(prefix, count) for prefix, count in dropped.renditions.items())
    return chain(dropped.object_keys, renditions)
