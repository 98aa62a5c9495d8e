"""What a request under an ``Idempotency-Key`` has begun, for the next one under that key should this one be killed.

An effect that takes several transactions (reserve space, ask the object store, make the file) cannot be one with its
answer. The first of them leaves a note of what it began; a request that finds the note goes on from there instead of
beginning again. Services may call this: it knows nothing of HTTP, and without a key it does nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from metastore.kit.database import Transaction
from metastore.kit.idempotency_claims import Claimed, note_begun

_current: ContextVar[Claimed | None] = ContextVar("metastore_idempotent_claim", default=None)


def begun() -> str | None:
    """What an earlier run of this request noted before it was lost; ``None`` for the first, or without a key."""
    claimed = _current.get()
    return claimed.begun if claimed is not None else None


async def keep_begun(tx: Transaction, note: str) -> None:
    """Note, with the transaction that begins the effect, what is needed to go on: an id, say."""
    claimed = _current.get()
    if claimed is not None:
        await note_begun(tx, claimed, note)


@contextmanager
def working_under(claimed: Claimed | None) -> Iterator[None]:
    """Have the two functions above speak of this claim within the block."""
    token = _current.set(claimed)
    try:
        yield
    finally:
        _current.reset(token)
