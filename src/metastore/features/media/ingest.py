"""The saga of a file's arrival: initiate → store → probe → package → thumbnail → transcode → notify.

========== ================================================= ====================================== ==================
step       what it does, and who                             database                               taken back by
========== ================================================= ====================================== ==================
initiate   the request that begins the upload                reservation, file, upload, saga        all of them removed
store      the request that completes it; else the           upload COMPLETED, reservation is use,  parts and object
           saga, when its time is over                       file PROCESSING, ``file.uploaded``     deleted
probe      looks into it                                     what was found                         forgotten
package    makes renditions of what can be streamed without  renditions, segments; the file is      deleted
           encoding pictures: a copy, and all sound          playable from the first of them on
thumbnail  puts pictures beside the object                   their keys                             deleted
transcode  makes renditions of the picture in other sizes    as for ``package``                     deleted
notify                                                       file READY, ``file.ready``
========== ================================================= ====================================== ==================

``store`` is the pivot. Up to it a failure leaves nothing of the file. Behind it the original stays what it is and can
be downloaded; what was made of it is taken back, the file is FAILED with a reason, and its owner may try again. Either
way ``file.failed`` tells. A file that nothing can be made of goes from ``store`` to the end in one transaction: the
steps in between would change nothing, and ``notify`` is nothing but a change in the database. A step that has nothing
to do with a file passes at once.

``package``, ``thumbnail`` and ``transcode`` take as long as the file needs: media tools and transcoder end by
themselves when nothing comes of their work. Three tries that come no further than those before are the last. A store or
database that is away, or full, is no try: the step is done again every few seconds, for two minutes at most.
"""

from collections.abc import Awaitable, Callable

from metastore.features.files import processing
from metastore.features.files.processing import (
    AGAIN,
    INGEST,
    INITIATE,
    NOTIFY,
    PACKAGE,
    PROBE,
    STORE,
    THUMBNAIL,
    TRANSCODE,
)
from metastore.features.media.service import MediaService
from metastore.features.uploads.arriving import Arrival
from metastore.kit.database import Transaction
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Definition, Effect, Outcome, Report, Step
from metastore.ports.outage import is_outage


def ingest(arrival: Arrival, media: MediaService) -> Definition:
    """The definition."""
    rendering, picturing, probing = media.rendering, media.picturing, media.probing
    steps = (
        Step(INITIATE, _done_by_request, ReasonCode.NOT_STORED, arrival.forget),
        Step(STORE, arrival.store, ReasonCode.NOT_STORED, arrival.release, time_limit=20, pivot=True),
        Step(PROBE, probing.probe, ReasonCode.PROBE_FAILED, probing.forget, time_limit=60),
        Step(PACKAGE, rendering.package, ReasonCode.TRANSCODE_FAILED, rendering.drop, time_limit=None),
        Step(THUMBNAIL, picturing.picture, ReasonCode.THUMBNAIL_FAILED, picturing.drop, time_limit=None),
        Step(
            TRANSCODE,
            rendering.transcode,
            ReasonCode.TRANSCODE_FAILED,
            rendering.drop,
            time_limit=None,
            may_take_long=rendering.has_to_encode,
        ),
        Step(NOTIFY, _make_ready, ReasonCode.PROCESSING_FAILED),
    )

    async def failed(tx: Transaction, saga: Saga) -> None:
        step = saga.failed_step or saga.step
        if step in (INITIATE, STORE):
            await arrival.failed(tx, saga)
        else:
            await processing.make_failed(tx, saga, step)

    return Definition(INGEST, steps, failed=failed, progressed=_watched(media), is_outage=is_outage)


async def _done_by_request(_saga: Saga, _report: Report) -> Outcome:
    return None


async def _make_ready(saga: Saga, _report: Report) -> Effect:
    async def effect(tx: Transaction) -> None:
        await processing.make_ready(tx, saga.subject, tell=not saga.data.get(AGAIN))

    return effect


def _watched(media: MediaService) -> Callable[[Saga], Awaitable[None]]:
    async def progressed(saga: Saga) -> None:
        if saga.step not in (INITIATE, STORE):
            await media.tell(saga)

    return progressed
