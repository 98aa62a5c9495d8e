"""The saga ``ingest``, from an initiated upload to a READY or FAILED file."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from metastore.features.files.content import processing
from metastore.features.media.objects.events import MediaDropped
from metastore.features.uploads import repository
from metastore.features.uploads.arrival import Arrival
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas
from metastore.kit.saga.definition import Later, StepFailedError
from metastore.kit.saga.models import SagaRow
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, Source
from metastore.ports.object_store import StoredObject, StoreFullError, StoreUnavailableError
from tests.fixtures.accounts import Storage
from tests.fixtures.media_pipeline import PICTURE, MediaPipeline, pipeline
from tests.fixtures.user_drive import NOTHING

__all__ = ["pipeline"]
TTL = 3600


async def test_a_file_that_needs_no_processing_is_ready_on_completion(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload(b"just some text", "notes.txt")
    assert ("READY", "DONE") == (file.status, file.processing.state)
    assert "succeeded" == await pipeline.saga_state(file.id)
    assert ["upload.initiated", "file.uploaded", "file.ready"] == await pipeline.drive.event_types()
    assert 0 == await pipeline.runner.run_due()


async def test_a_text_file_named_like_an_image_is_ready_without_a_thumbnail(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload(b"this is no picture", "fake.jpg")
    assert ("READY", None) == (file.status, file.thumbnail_url)


async def test_an_upload_being_compensated_can_be_neither_resumed_nor_completed(pipeline: MediaPipeline) -> None:
    drive = pipeline.drive
    upload = await drive.initiate(PICTURE)
    parts = await drive.send(upload, PICTURE)
    async with drive.database.transaction() as tx:
        assert await sagas.cancel(tx, processing.INGEST, upload.file_id, error="too late")
    with pytest.raises(Problem) as resumed:
        await drive.uploads.resume(drive.caller, upload.upload_id)
    with pytest.raises(Problem) as completed:
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert [404, 404] == [resumed.value.status, completed.value.status]
    await pipeline.work()
    assert NOTHING == await drive.leftovers()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_the_compensation_waits_if_a_request_claims_the_upload_meanwhile(pipeline: MediaPipeline) -> None:
    drive = pipeline.drive
    upload = await drive.initiate(PICTURE)
    arrival = Arrival(drive.database, drive.store, drive.uploads, drive.clock)
    async with drive.database.reading() as tx:
        snapshot = (await sagas.sagas_of(tx, processing.INGEST, [upload.file_id]))[upload.file_id]
    effect = await arrival.remove(snapshot)
    assert callable(effect)
    async with drive.database.transaction() as tx:
        assert await repository.claim(tx, drive.owner, upload.file_id, upload.upload_id, drive.clock())
    with pytest.raises(StepFailedError):
        async with drive.database.transaction() as tx:
            await effect(tx)
    assert isinstance(await arrival.remove(snapshot), Later)


async def test_an_image_is_processed_and_then_ready_with_a_thumbnail(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload()
    assert ("PROCESSING", "probe", "PENDING") == (file.status, file.processing.step, file.processing.state)
    assert ["upload.initiated", "file.uploaded"] == await pipeline.drive.event_types()
    await pipeline.work()
    ready = await pipeline.file(file.id)
    assert ("READY", "DONE", 100) == (ready.status, ready.processing.state, ready.processing.progress)
    assert ready.thumbnail_url
    assert "/thumbnail.webp" in ready.thumbnail_url
    assert {PICTURE, b"a picture of 256 pixels", b"a picture of 1024 pixels"} == {
        *pipeline.drive.store.objects.values()
    }
    assert 1 == len(await pipeline.recorded("file.ready")) == await pipeline.probed()
    steps = [
        data["step"] for _, event, data in pipeline.realtime.sent if event == "file.progress" and isinstance(data, dict)
    ]
    assert ["probe", "package", "thumbnail", "transcode", "notify"] == list(dict.fromkeys(steps))
    assert {pipeline.drive.owner} == {user for user, _, _ in pipeline.realtime.sent}


async def test_an_unreadable_image_without_a_media_suffix_is_ready_without_a_thumbnail(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["probe"] = [MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
    file = await pipeline.upload(name="data.bin")
    await pipeline.work()
    ready = await pipeline.file(file.id)
    assert ("READY", None, ["probe"]) == (ready.status, ready.thumbnail_url, pipeline.tools.calls)


@pytest.mark.parametrize(("step", "call"), [("probe", "probe"), ("thumbnail", "thumbnails")])
@pytest.mark.parametrize(
    ("error", "retryable"),
    [(MediaRefusedError(ReasonCode.PICTURE_UNREADABLE), False), (MediaToolError("killed"), True)],
)
async def test_failed_processing_keeps_the_original_and_records_the_reason(
    pipeline: MediaPipeline, step: str, call: str, error: Exception, retryable: bool
) -> None:
    pipeline.tools.failures[call] = [error] * 3
    file = await pipeline.upload()
    await pipeline.work()
    failed = await pipeline.file(file.id)
    assert ("FAILED", step, retryable) == (failed.status, failed.processing.step, failed.processing.retryable)
    assert failed.processing.error
    assert [PICTURE] == list(pipeline.drive.store.objects.values())
    assert 0 == await pipeline.probed()
    assert Storage(used=len(PICTURE), reserved=0) == await pipeline.drive.storage()
    async with pipeline.drive.database.reading() as tx:
        assert pipeline.drive.files.downloadable(await pipeline.access(tx, file.id)).size == len(PICTURE)
    seen = [
        data["progress"]
        for _, event, data in pipeline.realtime.sent
        if event == "file.progress" and isinstance(data, dict)
    ]
    assert 100 not in seen
    (recorded,) = await pipeline.recorded("file.failed")
    assert (failed.processing.error, retryable) == (recorded["reason"], recorded["retryable"])
    assert failed.processing.reason_code is not None
    assert recorded["reasonCode"] == failed.processing.reason_code.value
    assert (3 if retryable else 1) == pipeline.tools.calls.count(call)


async def test_a_thumbnail_stored_before_its_response_was_lost_is_deleted(pipeline: MediaPipeline) -> None:
    """The step fails after its effect in the store and before its commit."""
    file = await pipeline.upload()
    for _ in range(10):
        pipeline.drive.store.fail_after["put"] = StoreFullError("full")
        await pipeline.runner.run_due()
        pipeline.drive.clock.advance(seconds=20)
    await pipeline.work()
    assert "FAILED" == (await pipeline.file(file.id)).status
    assert [PICTURE] == list(pipeline.drive.store.objects.values())


async def test_failed_processing_can_be_retried(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["thumbnails"] = [MediaToolError("out of memory")] * 3
    file = await pipeline.upload()
    await pipeline.work()
    async with pipeline.drive.database.transaction() as tx:
        again = await pipeline.drive.files.retry_processing(tx, await pipeline.access(tx, file.id))
    assert ("PROCESSING", None) == (again.status, again.processing.error)
    async with pipeline.drive.database.transaction() as tx:
        with pytest.raises(Problem) as caught:
            await pipeline.drive.files.retry_processing(tx, await pipeline.access(tx, file.id))
    assert (409, "nothing-to-retry") == (caught.value.status, caught.value.code)
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert (1, 1) == (len(await pipeline.recorded("file.ready")), len(await pipeline.recorded("file.failed")))


async def test_processing_that_failed_permanently_cannot_be_retried(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["probe"] = [MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
    file = await pipeline.upload()
    await pipeline.work()
    async with pipeline.drive.database.transaction() as tx:
        with pytest.raises(Problem, match="409"):
            await pipeline.drive.files.retry_processing(tx, await pipeline.access(tx, file.id))


async def test_an_expired_upload_leaves_nothing_and_records_its_failure(pipeline: MediaPipeline) -> None:
    upload = await pipeline.drive.initiate(PICTURE)
    pipeline.drive.store.put_part(await pipeline.drive.store_id(upload.upload_id), 1, PICTURE[:10])
    pipeline.drive.clock.advance(seconds=TTL - 10)
    assert 0 == await pipeline.runner.run_due()
    pipeline.drive.clock.advance(seconds=11)
    await pipeline.work()
    assert NOTHING == await pipeline.drive.leftovers()
    assert Storage(used=0, reserved=0) == await pipeline.drive.storage()
    assert [ReasonCode.NOT_ARRIVED_IN_TIME.value] == [
        recorded["reasonCode"] for recorded in await pipeline.recorded("file.failed")
    ]
    assert "failed" == await pipeline.saga_state(upload.file_id)


async def test_an_upload_resumed_while_its_saga_is_ending_it_continues(pipeline: MediaPipeline) -> None:
    """The worker's clock is ahead of the clock of the server that resumes the upload."""
    drive = pipeline.drive
    upload = await drive.initiate(PICTURE)
    head = drive.store.head

    async def resumed_meanwhile(key: str) -> StoredObject:
        drive.clock.advance(seconds=-2)
        await drive.uploads.resume(drive.caller, upload.upload_id)
        drive.store.head = head  # type: ignore[method-assign]  # only once
        return await head(key)

    drive.store.head = resumed_meanwhile  # type: ignore[method-assign]  # resumed within the step
    drive.clock.advance(seconds=TTL + 1)
    assert 1 == await pipeline.runner.run_due()
    assert "PROCESSING" == (await pipeline.complete(upload)).status
    assert [] == await pipeline.recorded("file.failed")


async def test_an_expired_upload_whose_object_exists_becomes_a_file(pipeline: MediaPipeline) -> None:
    """A completion was killed after the store had joined the parts; another one with a bad part reopened the upload."""
    drive = pipeline.drive
    upload = await drive.initiate(PICTURE)
    parts = await drive.send(upload, PICTURE)
    drive.store.fail_after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem, match="503"):
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    async with drive.database.transaction() as tx:
        assert await repository.reopen(tx, upload.upload_id)
        assert await sagas.postpone(tx, processing.INGEST, upload.file_id, step=processing.STORE, due_at=drive.clock())
    drive.clock.advance(seconds=TTL + 1)
    await pipeline.work()
    assert "READY" == (await pipeline.file(upload.file_id)).status


async def test_a_saga_that_is_due_too_early_does_not_end_its_upload(pipeline: MediaPipeline) -> None:
    """``fsck --repair`` makes stuck sagas due at once."""
    drive = pipeline.drive
    upload = await drive.initiate(PICTURE)
    async with drive.database.transaction() as tx:
        assert await sagas.postpone(tx, processing.INGEST, upload.file_id, step=processing.STORE, due_at=drive.clock())
    assert 1 == await pipeline.runner.run_due()
    assert "PROCESSING" == (await pipeline.complete(upload)).status


async def test_resuming_an_upload_postpones_the_end_of_its_saga(pipeline: MediaPipeline) -> None:
    upload = await pipeline.drive.initiate(PICTURE)
    pipeline.drive.clock.advance(seconds=TTL - 10)
    await pipeline.drive.uploads.resume(pipeline.drive.caller, upload.upload_id)
    pipeline.drive.clock.advance(seconds=TTL - 10)
    assert 0 == await pipeline.runner.run_due()
    assert "PROCESSING" == (await pipeline.complete(upload)).status


async def test_aborting_an_upload_ends_its_saga_without_recording_a_failure(pipeline: MediaPipeline) -> None:
    upload = await pipeline.drive.initiate(PICTURE)
    await pipeline.drive.uploads.abort(pipeline.drive.caller, upload.upload_id)
    assert "cancelled" == await pipeline.saga_state(upload.file_id)
    assert [] == await pipeline.recorded("file.failed")


async def test_a_completion_without_a_response_from_the_store_is_finished_by_the_saga(pipeline: MediaPipeline) -> None:
    upload = await pipeline.drive.initiate(PICTURE)
    pipeline.drive.store.fail_next["complete_multipart"] = StoreUnavailableError("no response")
    with pytest.raises(Problem, match="503"):
        await pipeline.complete(upload)
    assert 0 == await pipeline.runner.run_due()
    pipeline.drive.clock.advance(seconds=pipeline.drive.uploads.completing_lease.total_seconds() + 1)
    await pipeline.work()
    assert "READY" == (await pipeline.file(upload.file_id)).status


async def test_a_completion_to_which_the_store_never_responds_fails_within_five_minutes(
    pipeline: MediaPipeline,
) -> None:
    upload = await pipeline.drive.initiate(PICTURE)
    began = pipeline.drive.clock()
    store = pipeline.drive.store
    store.fail_next["complete_multipart"] = StoreUnavailableError("no response")
    with pytest.raises(Problem, match="503"):
        await pipeline.complete(upload)
    pipeline.drive.clock.advance(seconds=pipeline.drive.uploads.completing_lease.total_seconds() + 1)
    for _ in range(10):
        store.fail_next["head"] = StoreUnavailableError("no response")
        await pipeline.runner.run_due()
        pipeline.drive.clock.advance(seconds=20)
    store.fail_next.clear()
    await pipeline.runner.run_due()
    assert NOTHING == await pipeline.drive.leftovers()
    assert Storage(used=0, reserved=0) == await pipeline.drive.storage()
    assert [ReasonCode.NOT_STORED.value] == [
        recorded["reasonCode"] for recorded in await pipeline.recorded("file.failed")
    ]
    assert (pipeline.drive.clock() - began).total_seconds() < 300


async def test_an_image_is_processed_once_the_store_has_recovered(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload()
    for _ in range(5):
        pipeline.drive.store.fail_next["put"] = StoreFullError("full")
        await pipeline.runner.run_due()
        assert "PROCESSING" == (await pipeline.file(file.id)).status
        pipeline.drive.clock.advance(seconds=20)
    await pipeline.work(rounds=1)
    assert "READY" == (await pipeline.file(file.id)).status


async def test_objects_that_cannot_be_deleted_during_an_outage_are_deleted_later(pipeline: MediaPipeline) -> None:
    """Processing fails within five minutes; its objects are recorded to be deleted by the consumer."""
    began = pipeline.drive.clock()
    file = await pipeline.film()
    pipeline.transcoder.before = lambda _name, number: _take_offline(pipeline) if number == 2 else None
    while (await pipeline.file(file.id)).status == "PROCESSING":
        await pipeline.runner.run_due()
        pipeline.drive.clock.advance(seconds=10)
        assert (pipeline.drive.clock() - began).total_seconds() < 300
    assert 0 == await pipeline.probed()
    left = await pipeline.derived()
    assert left
    pipeline.drive.store.offline = False
    for payload in await pipeline.recorded("media.dropped"):
        await pipeline.media.delete_dropped(MediaDropped.model_validate(payload))
    assert set() == await pipeline.derived()


def _take_offline(pipeline: MediaPipeline) -> None:
    pipeline.drive.store.offline = True


async def test_a_file_purged_while_it_is_processed_leaves_nothing(pipeline: MediaPipeline) -> None:
    """The consumer of the purge cancels the saga, and everything that it has stored is deleted."""
    file = await pipeline.upload()
    drive = pipeline.drive
    original = pipeline.tools.thumbnails

    async def purged_meanwhile(source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        await pipeline.purge(file.id)
        return await original(source, sizes=sizes)

    pipeline.tools.thumbnails = purged_meanwhile  # type: ignore[method-assign]  # purged within the step
    await pipeline.work()
    assert 0 == await pipeline.probed()
    assert {} == drive.store.objects
    assert [] == await pipeline.recorded("file.failed") == await pipeline.recorded("file.ready")
    async with drive.database.reading() as tx:
        assert ["cancelled"] == list(await tx.session.scalars(select(SagaRow.state)))
