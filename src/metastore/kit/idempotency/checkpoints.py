"""Checkpoints of requests with an ``Idempotency-Key``, and transactions that depend on the request's claim.

An effect that takes several transactions (reserve space, call the object store, create the file) cannot be committed
together with its response. The first transaction saves a checkpoint. When the process is killed, a retry under the same
key reads the checkpoint and continues from there instead of starting over.

Services may use this module. It knows nothing of HTTP, and does nothing for requests without a key.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.idempotency import claims
from metastore.kit.idempotency.claims import Claimed

_claim: ContextVar[Claimed | None] = ContextVar("metastore_idempotency_claim", default=None)
_COMPENSATES = "metastore_compensates_request"


class IdempotencyKeys:
    """The idempotency keys of a database.

    Ties every writing transaction on ``database`` to the claim of the request that it belongs to: it can commit only
    while the claim is held, and marks the claim as effective. Create one before the first request is served.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        database.before_commit(_update_claim)


def checkpoint() -> str | None:
    """Return the checkpoint that an earlier, interrupted run of this request saved, if any."""
    claimed = _claim.get()
    return claimed.checkpoint if claimed is not None else None


async def save_checkpoint(tx: Transaction, note: str) -> None:
    """Save a checkpoint in the transaction that begins the effect. ``note`` is what a retry needs, such as an id."""
    claimed = _claim.get()
    if claimed is not None:
        await claims.save_checkpoint(tx, claimed, note)


def mark_compensation(tx: Transaction) -> None:
    """Declare that ``tx`` undoes what this request has committed, so that its key may be used again."""
    tx.marks.add(_COMPENSATES)


@contextmanager
def working_under(claimed: Claimed | None) -> Iterator[None]:
    """Make ``claimed`` the claim of the current request within the block."""
    token = _claim.set(claimed)
    try:
        yield
    finally:
        _claim.reset(token)


async def _update_claim(tx: Transaction) -> None:
    claimed = _claim.get()
    if claimed is not None:
        await claims.update_state(tx, claimed, effective=_COMPENSATES not in tx.marks)
