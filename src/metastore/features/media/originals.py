"""The bytes that media are made of, for the steps of a file's processing."""

from collections.abc import AsyncIterator, Iterable
from itertools import islice

from metastore.features.files import processing
from metastore.features.files.processing import Original
from metastore.kit.database import Database
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import StepFailedError
from metastore.ports.media_tools import Source
from metastore.ports.object_store import ObjectStore

_DELETED_AT_ONCE = 500


async def original_of(database: Database, saga: Saga) -> Original:
    """The file that a saga is about.

    Raises:
        StepFailedError: it is gone.
    """
    async with database.reading() as tx:
        original = await processing.original_of(tx, saga.subject)
    if original is None:
        raise gone()
    return original


def source_of(store: ObjectStore, original: Original) -> Source:
    """Its bytes."""

    def read(offset: int, length: int) -> AsyncIterator[bytes]:
        return store.read(original.object_key, offset=offset, length=length)

    return Source(read, original.size, original.mime_type)


async def delete_all(store: ObjectStore, keys: Iterable[str]) -> None:
    """Delete objects, however many; those that are not there are passed over."""
    remaining = iter(keys)
    while batch := list(islice(remaining, _DELETED_AT_ONCE)):
        await store.delete(batch)


def gone() -> StepFailedError:
    """There is nothing to be made of a file that was deleted."""
    return StepFailedError(ReasonCode.FILE_DELETED, final=True)
