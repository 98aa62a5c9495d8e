"""The saga of a file's arrival: initiate → store → probe → thumbnail → notify.

============ ========================================== ======================================== =====================
step         what it does, and who                      database                                 taken back by
============ ========================================== ======================================== =====================
initiate     the request that begins the upload         reservation, file, upload, saga          all of them removed
store        the request that completes it; else the    upload COMPLETED, reservation is use,    parts and object
             saga, when its time is over                file PROCESSING, ``file.uploaded``       deleted
probe        looks into it                              what was found                           forgotten
thumbnail    puts a small picture beside the object     its key                                  deleted
notify                                                  file READY, ``file.ready``
============ ========================================== ======================================== =====================

``store`` is the pivot. Up to it a failure leaves nothing of the file. Behind it the original stays what it is and can
be downloaded; what was made of it is taken back, the file is FAILED with a reason, and its owner may try again. Either
way ``file.failed`` tells. A file that is neither film nor picture goes from ``store`` to the end in one transaction:
the steps in between would change nothing, and ``notify`` is nothing but a change in the database.

Times are such that a saga whose processing hangs at every try ends within five minutes.
"""

from collections.abc import Awaitable, Callable

from pydantic import JsonValue

from metastore.features.files import processing
from metastore.features.files.processing import INGEST, INITIATE, NOTIFY, PROBE, STORE, THUMBNAIL
from metastore.features.media.service import MediaService
from metastore.features.uploads.arriving import Arrival
from metastore.features.uploads.saga_steps import NOT_KEPT
from metastore.kit.database import Transaction
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Definition, Effect, Outcome, Report, Step
from metastore.ports.realtime import Realtime

SOCKET_EVENT = "file.progress"


def ingest(arrival: Arrival, media: MediaService, realtime: Realtime) -> Definition:
    """The definition."""
    steps = (
        Step(INITIATE, _done_by_request, NOT_KEPT, arrival.forget),
        Step(STORE, arrival.store, NOT_KEPT, arrival.release, time_limit=20, pivot=True),
        Step(PROBE, media.probe, "It could not be looked into.", media.forget_probe, time_limit=30),
        Step(THUMBNAIL, media.thumbnail, "No small picture could be made of it.", media.drop_thumbnail, time_limit=45),
        Step(NOTIFY, _make_ready, "It could not be made ready."),
    )

    async def failed(tx: Transaction, saga: Saga) -> None:
        step = saga.failed_step or saga.step
        if step in (INITIATE, STORE):
            await arrival.failed(tx, saga)
        else:
            reason = saga.error or "Something went wrong."
            await processing.make_failed(tx, saga.subject, step=step, reason=reason, retryable=saga.retryable)

    return Definition(INGEST, steps, failed=failed, progressed=_watched(realtime))


async def _done_by_request(_saga: Saga, _report: Report) -> Outcome:
    return None


async def _make_ready(saga: Saga, _report: Report) -> Effect:
    async def effect(tx: Transaction) -> None:
        await processing.make_ready(tx, saga.subject)

    return effect


def _watched(realtime: Realtime) -> Callable[[Saga], Awaitable[None]]:
    async def progressed(saga: Saga) -> None:
        owner_id = saga.data.get("ownerId")
        if isinstance(owner_id, str) and saga.step not in (INITIATE, STORE):
            told: dict[str, JsonValue] = {"fileId": saga.subject, "step": saga.step, "progress": saga.progress}
            await realtime.emit_to_user(owner_id, SOCKET_EVENT, told)

    return progressed
