"""Starting and advancing a file's ingest saga, in the transaction that changes its upload."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from metastore.features.files.content.processing import INGEST, INITIATE, NOTIFY, PROBE, STORE
from metastore.features.uploads.models import Upload
from metastore.features.uploads.multipart.problems import upload_not_found
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.saga import sagas
from metastore.kit.saga.models import Saga
from metastore.kit.saga.sagas import NewSaga


async def start_saga(tx: Transaction, upload: Upload, name: str, due_at: datetime) -> None:
    """Start the upload's saga. The step ``store`` falls due at ``due_at`` unless requests complete the upload first."""
    new = NewSaga(upload.file_id, upload.owner_id, _data_of(upload, name))
    await sagas.start_all(tx, INGEST, [new], done=(INITIATE,), step=STORE, due_at=due_at)


async def await_completion(tx: Transaction, upload: Upload, name: str, named: str, due_at: datetime) -> bool:
    """Have the saga take over at ``due_at`` unless a request has completed the upload by then.

    ``named`` is the digest of the parts that the client named. Returns ``False`` when the saga is ending the upload.
    """
    data = {**_data_of(upload, name), "named": named}
    return await sagas.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=due_at, data=data)


async def start_processing(
    tx: Transaction, owner_id: str, files: Mapping[str, tuple[str, str]], due_at: datetime
) -> dict[str, Saga]:
    """Start the sagas of files that are stored already, given upload and name by file; return them by file."""
    new = [
        NewSaga(file_id, owner_id, {"uploadId": upload_id, "ownerId": owner_id, "name": name})
        for file_id, (upload_id, name) in files.items()
    ]
    return await sagas.start_all(tx, INGEST, new, done=(INITIATE, STORE), step=PROBE, due_at=due_at) if new else {}


async def advance_saga(tx: Transaction, file_id: str, *, needs_processing: bool) -> None:
    """Record that the step ``store`` is done. Without processing, the saga has succeeded.

    Raises:
        Problem: 404 ``upload-not-found`` when the saga is ending the upload.
    """
    if needs_processing:
        advanced = await sagas.advance(tx, INGEST, file_id, step=STORE, to=PROBE)
    else:
        advanced = await sagas.finish(tx, INGEST, file_id, step=STORE, last=NOTIFY)
    if not advanced:
        raise upload_not_found()


def _data_of(upload: Upload, name: str) -> dict[str, JsonValue]:
    return {"uploadId": upload.id, "ownerId": upload.owner_id, "name": name}
