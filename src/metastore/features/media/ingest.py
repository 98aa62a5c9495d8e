"""The saga of an uploaded file: initiate → store → probe → package → thumbnail → transcode → notify.

========== ================================================= ====================================== ==================
step       action                                            database                               compensation
========== ================================================= ====================================== ==================
initiate   the request that initiates the upload             reservation, file, upload, saga        remove all of them
store      the request that completes the upload; the saga   upload COMPLETED, reservation becomes  delete parts and
           itself when the request died or the upload        use, file PROCESSING,                  object
           expired                                           ``file.uploaded``
probe      inspect the media                                 probe result                           delete it
package    make the renditions that need no video encoding:  renditions, segments; the file is      delete them
           remuxed video and all audio; of video that is to  playable from the first segment on
           be encoded, the beginning in its smallest size
thumbnail  make thumbnails, poster, sprite and waveform      their keys                             delete them
transcode  make the other rungs of the rendition ladder      as for ``package``                     delete them
notify                                                       file READY, ``file.ready``
========== ================================================= ====================================== ==================

``store`` is the pivot. A failure up to it leaves nothing of the file. After it the original stays and can be
downloaded; what was derived from it is deleted, the file is FAILED with a reason, and its owner may retry. Either way
``file.failed`` is published. A file that needs no processing goes from ``store`` to the end in one transaction. A step
that does not apply to a file succeeds at once.

``package``, ``thumbnail`` and ``transcode`` take as long as the file needs. Media tools and transcoder end by
themselves when they make no progress. The saga fails after three attempts in a row without progress. Outages of the
store or the database, and a full disk, do not count as attempts: the step is retried every few seconds for up to two
minutes.
"""

from collections.abc import Awaitable, Callable

from metastore.features.files.content import processing
from metastore.features.files.content.processing import (
    INGEST,
    INITIATE,
    NOTIFY,
    PACKAGE,
    PROBE,
    REPROCESSED,
    STORE,
    THUMBNAIL,
    TRANSCODE,
)
from metastore.features.media.service import MediaService
from metastore.features.uploads.arrival import Arrival
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga.definition import Definition, Effect, Outcome, Report, Step
from metastore.kit.saga.models import Saga
from metastore.ports.outage import is_outage


def ingest(arrival: Arrival, media: MediaService) -> Definition:
    """Return the saga's definition."""
    rendition_steps, thumbnail_step, probe_step = media.rendition_steps, media.thumbnail_step, media.probe_step
    steps = (
        Step(INITIATE, _done_by_request, ReasonCode.NOT_STORED, arrival.remove),
        Step(STORE, arrival.store, ReasonCode.NOT_STORED, arrival.release, time_limit=20, pivot=True),
        Step(PROBE, probe_step.probe, ReasonCode.PROBE_FAILED, probe_step.compensate, time_limit=60),
        Step(
            PACKAGE, rendition_steps.package, ReasonCode.TRANSCODE_FAILED, rendition_steps.compensate, time_limit=None
        ),
        Step(THUMBNAIL, thumbnail_step.make, ReasonCode.THUMBNAIL_FAILED, thumbnail_step.compensate, time_limit=None),
        Step(
            TRANSCODE,
            rendition_steps.transcode,
            ReasonCode.TRANSCODE_FAILED,
            rendition_steps.compensate,
            time_limit=None,
            may_take_long=rendition_steps.needs_encoding,
        ),
        Step(NOTIFY, _make_ready, ReasonCode.PROCESSING_FAILED),
    )

    async def failed(tx: Transaction, saga: Saga) -> None:
        step = saga.failed_step or saga.step
        if step in (INITIATE, STORE):
            return  # the compensation has removed the file and notified its owner
        await processing.mark_failed(tx, saga, step)

    return Definition(INGEST, steps, failed=failed, progressed=_report_to(media), is_outage=is_outage)


async def _done_by_request(_saga: Saga, _report: Report) -> Outcome:
    return None


async def _make_ready(saga: Saga, _report: Report) -> Effect:
    async def effect(tx: Transaction) -> None:
        await processing.mark_ready(tx, saga.subject, notify=not saga.data.get(REPROCESSED))

    return effect


def _report_to(media: MediaService) -> Callable[[Saga], Awaitable[None]]:
    async def progressed(saga: Saga) -> None:
        if saga.step not in (INITIATE, STORE):
            await media.notify_progress(saga)

    return progressed
