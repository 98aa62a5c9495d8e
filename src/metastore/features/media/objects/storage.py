"""Store and delete derived objects."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from itertools import islice

from metastore.ports.object_store import ObjectStore, ObjectStoreError, StoreFullError

_ATTEMPTS, _BACKOFF = 3, 0.5
_RETRY_WITHIN = 10.0
"""Seconds after which the saga has to retry instead: a single attempt may take half a minute."""
_DELETE_BATCH = 500


async def put_object(store: ObjectStore, key: str, data: bytes, content_type: str) -> None:
    """Store a small object.

    Retries through a short outage, and replaces an object that a worker without the saga's lease left under the key.

    Raises:
        ObjectStoreError: the store is full, or the outage lasts longer.
    """
    retry_until = time.monotonic() + _RETRY_WITHIN
    for attempts_left in range(_ATTEMPTS - 1, -1, -1):
        try:
            await store.put(key, _single_chunk(data), size=len(data), content_type=content_type)
        except StoreFullError:
            raise
        except ObjectStoreError:
            if not attempts_left or time.monotonic() > retry_until:
                raise
            await asyncio.sleep(_BACKOFF)
            # The object may have been stored nevertheless, and a store refuses to write a key twice.
            await store.delete([key])
        else:
            return


async def delete_objects(store: ObjectStore, keys: Iterable[str]) -> None:
    """Delete any number of objects; missing ones are skipped."""
    remaining = iter(keys)
    while batch := list(islice(remaining, _DELETE_BATCH)):
        await store.delete(batch)


async def _single_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data
