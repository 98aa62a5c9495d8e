"""Delete derived objects now, or have an event delete them later.

A step often fails because of an outage of the object store, and its compensation must not wait for the store. In that
case it records a ``MediaDropped`` event in the transaction that removes the rows; the event's consumer deletes the
objects once the store is available again.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from itertools import chain

import structlog

from metastore.features.media.objects.events import MediaDropped
from metastore.features.media.objects.keys import rendition_keys
from metastore.features.media.objects.storage import delete_objects
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_log = structlog.get_logger(__name__)
_TIMEOUT = 10.0


async def try_to_delete(
    store: ObjectStore, file_id: str, *, renditions: Mapping[str, int] | None = None, keys: Collection[str] = ()
) -> MediaDropped | None:
    """Delete renditions and other objects of a file, within ten seconds.

    ``renditions`` maps the key prefix of each rendition to the number of its segment rows.

    Return the event to record if the deletion did not succeed.
    """
    dropped = MediaDropped(file_id=file_id, renditions=dict(renditions or {}), object_keys=sorted(keys))
    if not dropped.renditions and not dropped.object_keys:
        return None
    try:
        async with asyncio.timeout(_TIMEOUT):
            await delete_objects(store, dropped_keys(dropped))
    except (ObjectStoreError, TimeoutError) as error:
        _log.warning("deletion of derived objects deferred", file_id=file_id, error=repr(error))
        return dropped
    return None


def dropped_keys(dropped: MediaDropped) -> Iterable[str]:
    """Return every key that the event wants deleted."""
    renditions = chain.from_iterable(rendition_keys(prefix, count) for prefix, count in dropped.renditions.items())
    return chain(dropped.object_keys, renditions)
