"""The object keys of files that arrive whole.

An object is stored before the transaction that makes it a file. To find the objects that a crash leaves in between
without listing the store, a process reserves its keys in blocks: the row of a block tells all keys that can exist. A
recurring job (``collect``) closes each expired block, deletes the objects under its keys that no file refers to, and
then deletes the row. A file can be created only while the block of its key is open (``require_open``), so nothing is
deleted that becomes a file afterwards.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta

from metastore.features.files.content import integrity
from metastore.features.uploads import repository
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import unavailable
from metastore.ports.object_store import ObjectStore

KEYS_IN_BLOCK = 1000
_LONGEST_USE = timedelta(hours=1)
_COLLECTED_AT_ONCE = 10


@dataclass(slots=True)
class _Block:
    id: str
    usable_until: datetime
    used: int = 0


@dataclass(frozen=True, slots=True)
class ReservedKeys:
    """Keys of one block."""

    block_id: str
    keys: Sequence[str]


class ObjectKeys:
    """Hands out object keys, each once."""

    def __init__(self, database: Database, store: ObjectStore, limits: UploadLimits, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._used_for = min(_LONGEST_USE, timedelta(seconds=limits.upload_ttl))
        self._grace = limits.whole_within
        self._clock = clock
        self._block: _Block | None = None
        self._reserving = asyncio.Lock()

    async def reserve(self, count: int) -> ReservedKeys:
        """Return up to 1,000 new keys. One call in a thousand files, or an hour, takes a transaction."""
        async with self._reserving:
            block = self._block
            if block is None or block.used + count > KEYS_IN_BLOCK or self._clock() >= block.usable_until:
                # In a context of its own: the request's idempotency key has nothing to do with this transaction.
                adding = asyncio.create_task(self._add_block(), context=Context())
                block = self._block = await asyncio.shield(adding)
            keys = [_key(block.id, number) for number in range(block.used, block.used + count)]
            block.used += count
        return ReservedKeys(block.id, keys)

    async def require_open(self, tx: Transaction, reserved: ReservedKeys) -> None:
        """Return if the block is open, and keep it open until the transaction ends.

        Raises:
            Problem: 503 when storing the objects has taken so long that they were deleted as leftovers of a crash.
        """
        if not await repository.hold_key_block(tx, reserved.block_id):
            raise unavailable("Storing took too long.")

    async def collect(self) -> None:
        """Delete the objects under the keys of expired blocks that no file refers to, and the blocks."""
        async with self._database.reading() as tx:
            expired = await repository.expired_key_blocks(tx, self._clock(), _COLLECTED_AT_ONCE)
        for block_id in expired:
            async with self._database.transaction() as tx:
                await repository.close_key_block(tx, block_id)
            keys = [_key(block_id, number) for number in range(KEYS_IN_BLOCK)]
            async with self._database.reading() as tx:
                referenced = await integrity.referenced_keys(tx, keys)
            await self._store.delete([key for key in keys if key not in referenced])
            async with self._database.transaction() as tx:
                await repository.delete_key_block(tx, block_id)

    async def _add_block(self) -> _Block:
        usable_until = self._clock() + self._used_for
        block = _Block(new_id(), usable_until)
        async with self._database.transaction() as tx:
            await repository.add_key_block(tx, block.id, usable_until + self._grace)
        return block


def _key(block_id: str, number: int) -> str:
    return f"files/{block_id}-{number:03d}"
