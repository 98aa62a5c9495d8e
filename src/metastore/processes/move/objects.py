"""Copying every object, and making sure of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from metastore.client.checksums import Measured, can_compute, measure, name_of
from metastore.ports.object_store import (
    DamagedObjectError,
    ObjectNotFoundError,
    ObjectStore,
    StoredObject,
)
from metastore.processes.move.target import MoveRefusedError

_TRIES = 3
_BY_READING = "blake3"
"""What two copies are compared by when no store computed anything."""
Item = TypeVar("Item")


@dataclass
class Carried:
    """What was done; ``damaged`` are objects whose bytes were not what the source had noted, with why."""

    copied: int = 0
    found_there: int = 0
    size: int = 0
    damaged: dict[str, str] = field(default_factory=dict)


async def refuse_strangers(source: ObjectStore, target: ObjectStore) -> None:
    """Look whether the target holds anything but what comes, or came, from the source.

    Raises:
        MoveRefusedError: it does.
    """
    async for stored in target.list_objects():
        if not await _has(source, stored.key):
            raise MoveRefusedError(f"the store has objects of its own: {stored.key}")


async def carry_objects(
    source: ObjectStore,
    target: ObjectStore,
    *,
    at_once: int,
    advance: Callable[[int], object] = lambda _: None,
) -> Carried:
    """Copy and verify every object, ``at_once`` at a time, and free what killed runs left behind.

    Raises:
        MoveRefusedError: an object does not arrive as it was sent.
    """
    carried = Carried()

    async def carry(stored: StoredObject) -> None:
        await _carry(source, target, stored.key, carried)
        carried.size += stored.size
        advance(stored.size)

    await _in_parallel(source.list_objects(), carry, at_once)
    async for multipart in target.list_multiparts():
        if await _has(source, multipart.key):
            await target.abort_multipart(multipart.key, multipart.upload_id)
    return carried


async def _carry(source: ObjectStore, target: ObjectStore, key: str, carried: Carried) -> None:
    try:
        original = await source.examine(key)
    except ObjectNotFoundError:
        return
    except DamagedObjectError as error:
        carried.damaged[key] = str(error)
        return
    copy = await _copy_of(target, original)
    if copy is not None and await _is_true(source, target, original, copy, carried):
        carried.found_there += 1
        return
    for _ in range(_TRIES):
        if copy is not None:
            await target.delete([key])
        copy = await target.put(key, source.read(key), size=original.size, content_type="application/octet-stream")
        if await _is_true(source, target, original, copy, carried):
            carried.copied += 1
            return
    raise MoveRefusedError(f"the object {key} does not arrive as it was sent")


async def _copy_of(target: ObjectStore, original: StoredObject) -> StoredObject | None:
    try:
        return await target.head(original.key)
    except ObjectNotFoundError:
        return None


async def _is_true(
    source: ObjectStore, target: ObjectStore, original: StoredObject, copy: StoredObject, carried: Carried
) -> bool:
    """Whether the copy has the source's bytes, by what the target computed of it or else by reading it back."""
    noted = original.checksum if original.checksum and can_compute(name_of(original.checksum)) else None
    received = copy.checksum if copy.checksum and can_compute(name_of(copy.checksum)) else None
    names = {name_of(checksum) for checksum in (noted, received) if checksum}
    measured = await measure(source.read(original.key), names or {_BY_READING})
    if noted and not measured.agrees(noted):
        carried.damaged[original.key] = f"its checksum is not {noted}"
    if copy.size != measured.size:
        return False
    if received:
        return measured.agrees(received)
    return _same(measured, await measure(target.read(copy.key), measured.checksums.keys()))


def _same(one: Measured, other: Measured) -> bool:
    return (one.size, one.checksums) == (other.size, other.checksums)


async def _has(store: ObjectStore, key: str) -> bool:
    try:
        await store.examine(key)
    except ObjectNotFoundError:
        return False
    except DamagedObjectError:
        return True
    return True


async def _in_parallel(items: AsyncIterator[Item], work: Callable[[Item], Awaitable[None]], count: int) -> None:
    taking = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with taking:
                item = await anext(items, None)
            if item is None:
                return
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(worker())
    except ExceptionGroup as group:
        # The first to fail has stopped the others.
        raise group.exceptions[0] from None
