"""Copy and verify every object."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from metastore.client.checksums import Measurement, algorithm_of, can_compute, measure
from metastore.ports.object_store import (
    DamagedObjectError,
    ObjectNotFoundError,
    ObjectStore,
    StoredObject,
)
from metastore.processes.move.target import MoveRefusedError

_ATTEMPTS = 3
_FALLBACK_ALGORITHM = "blake3"
"""Used to compare two copies if neither store has a checksum."""
Item = TypeVar("Item")


@dataclass
class CopiedObjects:
    """The result of copying the objects.

    ``size`` is in bytes. ``damaged`` maps the keys of objects that were already damaged in the source to the reason.
    """

    copied: int = 0
    already_present: int = 0
    size: int = 0
    damaged: dict[str, str] = field(default_factory=dict)


async def require_no_foreign_objects(source: ObjectStore, target: ObjectStore) -> None:
    """Check that the target has no objects other than the source's.

    Raises:
        MoveRefusedError: it has.
    """
    async for stored in target.list_objects():
        if not await _exists(source, stored.key):
            raise MoveRefusedError(f"the store has objects of its own: {stored.key}")


async def copy_objects(
    source: ObjectStore,
    target: ObjectStore,
    *,
    concurrency: int,
    advance: Callable[[int], object] = lambda _: None,
) -> CopiedObjects:
    """Copy and verify every object, ``concurrency`` at a time, and abort the multipart uploads of killed runs.

    Raises:
        MoveRefusedError: the copy of an object differs from it.
    """
    result = CopiedObjects()

    async def copy(stored: StoredObject) -> None:
        await _copy(source, target, stored.key, result)
        result.size += stored.size
        advance(stored.size)

    await _in_parallel(source.list_objects(), copy, concurrency)
    async for multipart in target.list_multiparts():
        if await _exists(source, multipart.key):
            await target.abort_multipart(multipart.key, multipart.upload_id)
    return result


async def _copy(source: ObjectStore, target: ObjectStore, key: str, result: CopiedObjects) -> None:
    try:
        original = await source.examine(key)
    except ObjectNotFoundError:
        return
    except DamagedObjectError as error:
        result.damaged[key] = str(error)
        return
    copy = await _head(target, original)
    if copy is not None and await _is_same(source, target, original, copy, result):
        result.already_present += 1
        return
    for _ in range(_ATTEMPTS):
        if copy is not None:
            await target.delete([key])
        copy = await target.put(key, source.read(key), size=original.size, content_type="application/octet-stream")
        if await _is_same(source, target, original, copy, result):
            result.copied += 1
            return
    raise MoveRefusedError(f"the copy of object {key} differs from the original")


async def _head(target: ObjectStore, original: StoredObject) -> StoredObject | None:
    try:
        return await target.head(original.key)
    except ObjectNotFoundError:
        return None


async def _is_same(
    source: ObjectStore, target: ObjectStore, original: StoredObject, copy: StoredObject, result: CopiedObjects
) -> bool:
    """Return whether the copy has the source's bytes.

    This uses the checksum that the target computed, or else reads the copy back.
    """
    recorded = original.checksum if original.checksum and can_compute(algorithm_of(original.checksum)) else None
    computed = copy.checksum if copy.checksum and can_compute(algorithm_of(copy.checksum)) else None
    names = {algorithm_of(checksum) for checksum in (recorded, computed) if checksum}
    measured = await measure(source.read(original.key), names or {_FALLBACK_ALGORITHM})
    if recorded and not measured.agrees(recorded):
        result.damaged[original.key] = f"its checksum is not {recorded}"
    if copy.size != measured.size:
        return False
    if computed:
        return measured.agrees(computed)
    return _same_bytes(measured, await measure(target.read(copy.key), measured.checksums.keys()))


def _same_bytes(one: Measurement, other: Measurement) -> bool:
    return (one.size, one.checksums) == (other.size, other.checksums)


async def _exists(store: ObjectStore, key: str) -> bool:
    try:
        await store.examine(key)
    except ObjectNotFoundError:
        return False
    except DamagedObjectError:
        return True
    return True


async def _in_parallel(items: AsyncIterator[Item], work: Callable[[Item], Awaitable[None]], count: int) -> None:
    lock = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with lock:
                item = await anext(items, None)
            if item is None:
                return
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(worker())
    except ExceptionGroup as group:
        # The first failure has cancelled the other workers.
        raise group.exceptions[0] from None
