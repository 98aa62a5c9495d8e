"""A file's arrival comes to an end, and its owner knows which."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import select

from metastore.features.files import processing
from metastore.features.media.events import MediaDropped
from metastore.features.uploads import repository
from metastore.features.uploads.arriving import Arrival
from metastore.features.uploads.limits import WHOLE_WITHIN
from metastore.kit import saga
from metastore.kit.problem import Problem
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import SagaRow
from metastore.kit.saga_steps import Later, StepFailedError
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, Source
from metastore.ports.object_store import StoredObject, StoreFullError, StoreUnavailableError
from tests.fixtures.accounts import Storage
from tests.fixtures.drive import NOTHING, wanted
from tests.fixtures.house import PICTURE, House, house

__all__ = ["house"]
TTL = 3600


async def test_a_plain_file_is_ready_when_it_is_complete(house: House) -> None:
    file = await house.bring(b"just some text", "notes.txt")
    assert ("READY", "DONE") == (file.status, file.processing.state)
    assert "succeeded" == await house.saga_state(file.id)
    assert ["upload.initiated", "file.uploaded", "file.ready"] == await house.drive.facts()
    assert 0 == await house.runner.run_due()


async def test_text_that_is_named_like_a_picture_is_ready_without_a_small_one(house: House) -> None:
    file = await house.bring(b"this is no picture", "fake.jpg")
    assert ("READY", None) == (file.status, file.thumbnail_url)


async def test_an_upload_that_is_being_compensated_cannot_be_continued(house: House) -> None:
    drive = house.drive
    upload = await drive.initiate(PICTURE)
    parts = await drive.send(upload, PICTURE)
    async with drive.database.transaction() as tx:
        assert await saga.cancel(tx, processing.INGEST, upload.file_id, error="too late")
    with pytest.raises(Problem) as resumed:
        await drive.uploads.resume(drive.owner, upload.upload_id)
    with pytest.raises(Problem) as completed:
        await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, parts)
    assert [404, 404] == [resumed.value.status, completed.value.status]
    await house.work()
    assert NOTHING == await drive.leftovers()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_an_upload_that_a_request_claims_meanwhile_is_compensated_later(house: House) -> None:
    drive = house.drive
    upload = await drive.initiate(PICTURE)
    arrival = Arrival(drive.database, drive.store, drive.uploads, drive.clock)
    async with drive.database.reading() as tx:
        snapshot = (await saga.sagas_of(tx, processing.INGEST, [upload.file_id]))[upload.file_id]
    effect = await arrival.remove(snapshot)
    assert callable(effect)
    async with drive.database.transaction() as tx:
        assert await repository.claim(tx, upload.upload_id, drive.clock())
    with pytest.raises(StepFailedError):
        async with drive.database.transaction() as tx:
            await effect(tx)
    assert isinstance(await arrival.remove(snapshot), Later)


async def test_a_file_that_came_whole_and_whose_process_died_is_there_within_minutes(house: House) -> None:
    drive = house.drive
    content = b"just some text"
    async with drive.database.transaction() as tx:
        upload = await drive.uploads.begin(tx, drive.owner, wanted(size=len(content)), claimed=True)

    async def once() -> AsyncIterator[bytes]:
        yield content

    await drive.store.put(upload.object_key, once(), size=len(content), content_type="text/plain")
    drive.clock.pass_by(seconds=WHOLE_WITHIN.total_seconds() + 1)
    await house.work()
    assert "READY" == (await house.file(upload.file_id)).status


async def test_a_picture_is_processed_and_then_ready_with_a_small_one(house: House) -> None:
    file = await house.bring()
    assert ("PROCESSING", "probe", "PENDING") == (file.status, file.processing.step, file.processing.state)
    assert ["upload.initiated", "file.uploaded"] == await house.drive.facts()
    await house.work()
    ready = await house.file(file.id)
    assert ("READY", "DONE", 100) == (ready.status, ready.processing.state, ready.processing.progress)
    assert ready.thumbnail_url
    assert "/thumbnail.webp" in ready.thumbnail_url
    assert {PICTURE, b"a picture of 256 pixels", b"a picture of 1024 pixels"} == {*house.drive.store.objects.values()}
    assert 1 == len(await house.told("file.ready")) == await house.probed()
    steps = [data["step"] for _, event, data in house.radio.sent if event == "file.progress" and isinstance(data, dict)]
    assert ["probe", "package", "thumbnail", "transcode", "notify"] == list(dict.fromkeys(steps))
    assert {house.drive.owner} == {user for user, _, _ in house.radio.sent}


async def test_what_only_begins_like_a_picture_is_ready_all_the_same(house: House) -> None:
    house.tools.troubles["probe"] = [MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
    file = await house.bring(name="data.bin")
    await house.work()
    ready = await house.file(file.id)
    assert ("READY", None, ["probe"]) == (ready.status, ready.thumbnail_url, house.tools.asked)


@pytest.mark.parametrize(("step", "call"), [("probe", "probe"), ("thumbnail", "thumbnails")])
@pytest.mark.parametrize(
    ("error", "retryable"),
    [(MediaRefusedError(ReasonCode.PICTURE_UNREADABLE), False), (MediaToolError("killed"), True)],
)
async def test_a_processing_that_fails_leaves_the_original_and_a_reason(
    house: House, step: str, call: str, error: Exception, retryable: bool
) -> None:
    house.tools.troubles[call] = [error] * 3
    file = await house.bring()
    await house.work()
    failed = await house.file(file.id)
    assert ("FAILED", step, retryable) == (failed.status, failed.processing.step, failed.processing.retryable)
    assert failed.processing.error
    assert [PICTURE] == list(house.drive.store.objects.values())
    assert 0 == await house.probed()
    assert Storage(used=len(PICTURE), reserved=0) == await house.drive.storage()
    async with house.drive.database.reading() as tx:
        assert (await house.drive.files.downloadable(tx, house.drive.owner, file.id)).size == len(PICTURE)
    seen = [
        data["progress"] for _, event, data in house.radio.sent if event == "file.progress" and isinstance(data, dict)
    ]
    assert 100 not in seen
    (told,) = await house.told("file.failed")
    assert (failed.processing.error, retryable) == (told["reason"], told["retryable"])
    assert failed.processing.reason_code is not None
    assert told["reasonCode"] == failed.processing.reason_code.value
    assert (3 if retryable else 1) == house.tools.asked.count(call)


async def test_a_small_picture_that_was_stored_before_the_answer_was_lost_is_taken_back(house: House) -> None:
    """The step fails after its effect in the store and before its commit."""
    file = await house.bring()
    for _ in range(10):
        house.drive.store.after["put"] = StoreFullError("full")
        await house.runner.run_due()
        house.drive.clock.pass_by(seconds=20)
    await house.work()
    assert "FAILED" == (await house.file(file.id)).status
    assert [PICTURE] == list(house.drive.store.objects.values())


async def test_a_failed_processing_can_be_run_again(house: House) -> None:
    house.tools.troubles["thumbnails"] = [MediaToolError("out of memory")] * 3
    file = await house.bring()
    await house.work()
    async with house.drive.database.transaction() as tx:
        again = await house.drive.files.retry_processing(tx, house.drive.owner, file.id)
    assert ("PROCESSING", None) == (again.status, again.processing.error)
    async with house.drive.database.transaction() as tx:
        with pytest.raises(Problem) as caught:
            await house.drive.files.retry_processing(tx, house.drive.owner, file.id)
    assert (409, "nothing-to-retry") == (caught.value.status, caught.value.code)
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert (1, 1) == (len(await house.told("file.ready")), len(await house.told("file.failed")))


async def test_what_will_fail_again_cannot_be_run_again(house: House) -> None:
    house.tools.troubles["probe"] = [MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
    file = await house.bring()
    await house.work()
    async with house.drive.database.transaction() as tx:
        with pytest.raises(Problem, match="409"):
            await house.drive.files.retry_processing(tx, house.drive.owner, file.id)


async def test_an_upload_whose_time_is_over_leaves_nothing_and_its_owner_is_told(house: House) -> None:
    upload = await house.drive.initiate(PICTURE)
    house.drive.store.put_part(await house.drive.store_id(upload.upload_id), 1, PICTURE[:10])
    house.drive.clock.pass_by(seconds=TTL - 10)
    assert 0 == await house.runner.run_due()
    house.drive.clock.pass_by(seconds=11)
    await house.work()
    assert NOTHING == await house.drive.leftovers()
    assert Storage(used=0, reserved=0) == await house.drive.storage()
    assert [ReasonCode.NOT_ARRIVED_IN_TIME.value] == [told["reasonCode"] for told in await house.told("file.failed")]
    assert "failed" == await house.saga_state(upload.file_id)


async def test_an_upload_that_is_resumed_while_its_saga_ends_it_lives_on(house: House) -> None:
    """The worker's clock is ahead of the one of the server that resumes."""
    drive = house.drive
    upload = await drive.initiate(PICTURE)
    head = drive.store.head

    async def resumed_meanwhile(key: str) -> StoredObject:
        drive.clock.pass_by(seconds=-2)
        await drive.uploads.resume(drive.owner, upload.upload_id)
        drive.store.head = head  # type: ignore[method-assign]  # only once
        return await head(key)

    drive.store.head = resumed_meanwhile  # type: ignore[method-assign]  # resumed within the step
    drive.clock.pass_by(seconds=TTL + 1)
    assert 1 == await house.runner.run_due()
    assert "PROCESSING" == (await house.complete(upload)).status
    assert [] == await house.told("file.failed")


async def test_an_expired_upload_that_the_store_has_whole_becomes_its_file(house: House) -> None:
    """One completion was killed, while another one with a bad part had reopened the upload."""
    drive = house.drive
    upload = await drive.initiate(PICTURE)
    parts = await drive.send(upload, PICTURE)
    drive.store.after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem, match="503"):
        await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, parts)
    async with drive.database.transaction() as tx:
        assert await repository.reopen(tx, upload.upload_id)
        assert await saga.postpone(tx, processing.INGEST, upload.file_id, step=processing.STORE, due_at=drive.clock())
    drive.clock.pass_by(seconds=TTL + 1)
    await house.work()
    assert "READY" == (await house.file(upload.file_id)).status


async def test_a_saga_that_is_made_due_too_early_does_not_end_its_upload(house: House) -> None:
    """A repair of the checks makes a stuck saga due at once."""
    drive = house.drive
    upload = await drive.initiate(PICTURE)
    async with drive.database.transaction() as tx:
        assert await saga.postpone(tx, processing.INGEST, upload.file_id, step=processing.STORE, due_at=drive.clock())
    assert 1 == await house.runner.run_due()
    assert "PROCESSING" == (await house.complete(upload)).status


async def test_a_resumed_upload_has_its_time_anew(house: House) -> None:
    upload = await house.drive.initiate(PICTURE)
    house.drive.clock.pass_by(seconds=TTL - 10)
    await house.drive.uploads.resume(house.drive.owner, upload.upload_id)
    house.drive.clock.pass_by(seconds=TTL - 10)
    assert 0 == await house.runner.run_due()
    assert "PROCESSING" == (await house.complete(upload)).status


async def test_an_aborted_upload_ends_its_saga_and_nobody_is_told_of_a_failure(house: House) -> None:
    upload = await house.drive.initiate(PICTURE)
    await house.drive.uploads.abort(house.drive.owner, upload.upload_id)
    assert "cancelled" == await house.saga_state(upload.file_id)
    assert [] == await house.told("file.failed")


async def test_a_completing_that_the_store_did_not_answer_is_brought_to_its_end(house: House) -> None:
    upload = await house.drive.initiate(PICTURE)
    house.drive.store.fail_next["complete_multipart"] = StoreUnavailableError("black hole")
    with pytest.raises(Problem, match="503"):
        await house.complete(upload)
    assert 0 == await house.runner.run_due()
    house.drive.clock.pass_by(seconds=house.drive.uploads.completing_lease.total_seconds() + 1)
    await house.work()
    assert "READY" == (await house.file(upload.file_id)).status


async def test_a_completing_that_the_store_never_answers_is_given_up_within_five_minutes(house: House) -> None:
    upload = await house.drive.initiate(PICTURE)
    began = house.drive.clock()
    store = house.drive.store
    store.fail_next["complete_multipart"] = StoreUnavailableError("black hole")
    with pytest.raises(Problem, match="503"):
        await house.complete(upload)
    house.drive.clock.pass_by(seconds=house.drive.uploads.completing_lease.total_seconds() + 1)
    for _ in range(10):
        store.fail_next["head"] = StoreUnavailableError("black hole")
        await house.runner.run_due()
        house.drive.clock.pass_by(seconds=20)
    store.fail_next.clear()
    await house.runner.run_due()
    assert NOTHING == await house.drive.leftovers()
    assert Storage(used=0, reserved=0) == await house.drive.storage()
    assert [ReasonCode.NOT_STORED.value] == [told["reasonCode"] for told in await house.told("file.failed")]
    assert (house.drive.clock() - began).total_seconds() < 300


async def test_a_picture_waits_for_a_store_that_is_away_and_is_ready_when_it_is_back(house: House) -> None:
    file = await house.bring()
    for _ in range(5):
        house.drive.store.fail_next["put"] = StoreFullError("full")
        await house.runner.run_due()
        assert "PROCESSING" == (await house.file(file.id)).status
        house.drive.clock.pass_by(seconds=20)
    await house.work(rounds=1)
    assert "READY" == (await house.file(file.id)).status


async def test_what_cannot_be_deleted_while_the_store_is_away_is_deleted_later(house: House) -> None:
    """The processing fails meanwhile, within five minutes, and leaves nothing that no row tells of."""
    began = house.drive.clock()
    file = await house.film()
    house.transcoder.before = lambda _name, number: _make_away(house) if number == 2 else None
    while (await house.file(file.id)).status == "PROCESSING":
        await house.runner.run_due()
        house.drive.clock.pass_by(seconds=10)
        assert (house.drive.clock() - began).total_seconds() < 300
    assert 0 == await house.probed()
    left = await house.derived()
    assert left
    house.drive.store.away = False
    for payload in await house.told("media.dropped"):
        await house.media.free(MediaDropped.model_validate(payload))
    assert set() == await house.derived()


def _make_away(house: House) -> None:
    house.drive.store.away = True


async def test_a_file_purged_while_it_is_processed_leaves_nothing(house: House) -> None:
    """The consumer of the purge calls the processing off; what it has made goes."""
    file = await house.bring()
    drive = house.drive
    original = house.tools.thumbnails

    async def purged_meanwhile(source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        await house.purge(file.id)
        return await original(source, sizes=sizes)

    house.tools.thumbnails = purged_meanwhile  # type: ignore[method-assign]  # this once, it takes long
    await house.work()
    assert 0 == await house.probed()
    assert {} == drive.store.objects
    assert [] == await house.told("file.failed") == await house.told("file.ready")
    async with drive.database.reading() as tx:
        assert ["cancelled"] == list(await tx.session.scalars(select(SagaRow.state)))
