"""The uploaded file that a saga processes."""

from collections.abc import AsyncIterator

from metastore.features.files.content import processing
from metastore.features.files.content.processing import Original
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga.definition import StepFailedError
from metastore.kit.saga.models import Saga
from metastore.ports.media_tools import Source
from metastore.ports.object_store import ObjectStore


async def find_source_file(database: Database, saga: Saga) -> Original:
    """Return the file of a saga.

    Raises:
        StepFailedError: the file was deleted.
    """
    async with database.reading() as tx:
        original = await processing.original_of(tx, saga.subject)
    if original is None:
        raise file_deleted()
    return original


def open_source(store: ObjectStore, original: Original) -> Source:
    """Return the file's bytes as media tools and the transcoder take them."""

    def read(offset: int, length: int) -> AsyncIterator[bytes]:
        return store.read(original.object_key, offset=offset, length=length)

    return Source(read, original.size, original.mime_type)


def file_deleted() -> StepFailedError:
    """Return the error of a step whose file was deleted."""
    return StepFailedError(ReasonCode.FILE_DELETED, final=True)
