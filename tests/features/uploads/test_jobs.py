"""The recurring jobs of uploads, and the reaper that runs them."""

from datetime import timedelta
from pathlib import Path

import pytest

from metastore.bootstrap import build
from metastore.config import load_settings
from metastore.features.files.content.processing import INGEST
from metastore.features.uploads.jobs import UploadJobs
from metastore.features.uploads.models import Upload
from metastore.features.uploads.multipart import cleanup
from metastore.kit.feature import Job
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas
from metastore.ports.object_store import StoreUnavailableError
from metastore.processes.reaper import Reaper
from tests.fixtures.accounts import Storage
from tests.fixtures.media_pipeline import MediaPipeline, pipeline
from tests.fixtures.user_drive import NOTHING, Drive, upload_request

__all__ = ["pipeline"]

CONTENT = b"twenty-five bytes of text"
TTL = 3600


@pytest.fixture
def reaper(drive: Drive) -> Reaper:
    jobs = UploadJobs(drive.database, drive.store, drive.uploads, TTL, drive.clock).all()
    return Reaper(jobs, interval=60)


async def test_uploads_that_have_not_expired_are_left_alone(drive: Drive, reaper: Reaper) -> None:
    upload = await drive.initiate(CONTENT)
    drive.clock.advance(seconds=TTL - 10)
    await reaper.round()
    assert (await drive.uploads.resume(drive.caller, upload.upload_id)).size == len(CONTENT)


async def test_an_expired_upload_is_left_to_its_saga(pipeline: MediaPipeline, reaper: Reaper) -> None:
    upload = await pipeline.drive.initiate(CONTENT)
    pipeline.drive.clock.advance(seconds=TTL + 1)
    await reaper.round()
    assert (await pipeline.drive.leftovers())["uploads"] == 1
    assert await pipeline.saga_state(upload.file_id) == "running"


@pytest.mark.parametrize("missing", [True, False])
async def test_expired_uploads_whose_saga_has_ended_get_another_saga(
    pipeline: MediaPipeline, reaper: Reaper, missing: bool
) -> None:
    """Their compensation was skipped after too many failures."""
    drive = pipeline.drive
    for number in range(3):
        upload = await drive.initiate(CONTENT, name=f"{number}.txt")
        drive.store.put_part(await drive.store_id(upload.upload_id), 1, CONTENT[:10])
        async with drive.database.transaction() as tx:
            assert await sagas.end(tx, INGEST, upload.file_id, error="skipped", cancelled=False)
            if missing:
                await sagas.forget(tx, INGEST, upload.file_id)
    drive.clock.advance(seconds=TTL + 1)
    await reaper.round()
    await pipeline.work()
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)
    assert [recorded["reason"] for recorded in await pipeline.recorded("file.failed")] == [
        ReasonCode.NOT_ARRIVED_IN_TIME.sentence
    ] * 3


async def test_an_expired_upload_without_a_multipart_upload_is_deleted(pipeline: MediaPipeline) -> None:
    drive = pipeline.drive
    async with drive.database.transaction() as tx:
        await drive.initiation.begin(tx, drive.root, upload_request(), new_id(), None)
    drive.clock.advance(seconds=TTL + 1)
    await pipeline.work()
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)


async def test_an_upload_whose_completion_was_killed_before_its_commit_becomes_a_file(
    pipeline: MediaPipeline, reaper: Reaper
) -> None:
    """Even if its saga has ended."""
    drive = pipeline.drive
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.fail_after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem):
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    async with drive.database.transaction() as tx:
        assert await sagas.end(tx, INGEST, upload.file_id, error="skipped", cancelled=False)
    drive.clock.advance(seconds=TTL + 1)
    await reaper.round()
    await pipeline.work()
    async with drive.database.reading() as tx:
        assert (await drive.files.owned_file(tx, drive.owner, upload.file_id)).status == "READY"
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_discarding_an_upload_that_has_become_a_file_keeps_its_object(drive: Drive) -> None:
    """Another process has completed the upload and deleted its row since this one read it."""
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.fail_after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem):
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    drive.clock.advance(seconds=TTL + 1)
    snapshots = [await cleanup.find(drive.database, upload.upload_id) for _ in range(2)]
    for snapshot in snapshots:
        assert snapshot is not None
        await drive.uploads.discard(snapshot, "lost by the store")
        await cleanup.forget_completed(drive.database, drive.clock(), 10)
    async with drive.database.reading() as tx:
        assert (await drive.files.owned_file(tx, drive.owner, upload.file_id)).status == "READY"
    assert list(drive.store.objects.values()) == [CONTENT]


async def test_old_multipart_uploads_unknown_to_the_database_are_aborted(drive: Drive, reaper: Reaper) -> None:
    await drive.store.create_multipart("files/unknown", size=5, part_size=5, content_type="text/plain")
    await reaper.round()
    assert len(drive.store.multiparts) == 1
    drive.clock.advance(seconds=TTL + 1)
    await reaper.round()
    assert drive.store.multiparts == {}


async def test_an_upload_ends_even_if_its_parts_cannot_be_deleted(pipeline: MediaPipeline, reaper: Reaper) -> None:
    """The consumer of its event deletes them, or the reaper later."""
    drive = pipeline.drive
    await drive.initiate(CONTENT)
    drive.clock.advance(seconds=TTL + 1)
    for _ in range(4):
        drive.store.fail_next["abort_multipart"] = StoreUnavailableError("outage")
        await pipeline.runner.run_due()
        drive.clock.advance(seconds=20)
    drive.store.fail_next.clear()
    await pipeline.runner.run_due()
    assert (await drive.leftovers())["uploads"] == 0
    assert (await drive.event_types())[-2:] == ["upload.aborted", "file.failed"]
    await reaper.round()
    assert drive.store.multiparts == {}


async def test_rows_of_completed_uploads_are_deleted_and_their_files_stay(drive: Drive, reaper: Reaper) -> None:
    upload = await drive.initiate(CONTENT)
    await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT))
    drive.clock.advance(seconds=TTL + timedelta(days=1).total_seconds() + 1)
    await reaper.round()
    async with drive.database.reading() as tx:
        assert await tx.session.get(Upload, upload.upload_id) is None
        assert (await drive.files.owned_file(tx, drive.owner, upload.file_id)).status == "READY"


async def test_a_second_multipart_upload_under_one_key_is_aborted(drive: Drive, reaper: Reaper) -> None:
    """A process was killed before it had saved the id of that one. The one whose id is saved is kept."""
    upload = await drive.initiate(CONTENT)
    known = await drive.store_id(upload.upload_id)
    key = drive.store.multiparts[known].key
    await drive.store.create_multipart(key, size=5, part_size=5, content_type="text/plain")
    drive.clock.advance(seconds=TTL - 10)
    await drive.uploads.resume(drive.caller, upload.upload_id)
    drive.clock.advance(seconds=20)
    await reaper.round()
    assert [known] == list(drive.store.multiparts)


async def test_an_upload_that_the_store_has_lost_is_ended_in_the_second_round(drive: Drive, reaper: Reaper) -> None:
    await drive.initiate(CONTENT)
    await drive.initiate(CONTENT, name="b.txt")
    drive.store.multiparts.popitem()
    await reaper.round()
    assert (await drive.leftovers())["uploads"] == 2
    await reaper.round()
    assert await drive.leftovers() == {"nodes": 1, "uploads": 1, "objects": 0, "multiparts": 1}
    assert await drive.storage() == Storage(used=0, reserved=25)


async def test_an_outage_of_the_store_does_not_end_uploads(drive: Drive, reaper: Reaper) -> None:
    await drive.initiate(CONTENT)
    for _ in range(3):
        drive.store.fail_next["is_open"] = StoreUnavailableError("outage")
        await reaper.round()
    assert (await drive.leftovers())["uploads"] == 1


async def test_a_failed_job_does_not_prevent_the_others() -> None:
    ran: list[str] = []

    def job(name: str, error: Exception | None = None) -> Job:
        async def run() -> None:
            ran.append(name)
            if error is not None:
                raise error

        return run

    reaper = Reaper({"first": job("first"), "second": job("second", OSError("gone")), "third": job("third")}, 60)
    await reaper.round()
    await reaper.round()
    assert ["first", "second", "third"] * 2 == ran


async def test_a_product_runs_the_recurring_jobs_of_every_feature(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, secret_key="k" * 40, database_url="", storage_url="")
    product = await build(settings)
    await product.aclose()
    names = [name for feature in product.features for name in feature.recurring_jobs]
    assert len(names) == len(set(names))
    assert {"delete expired sessions", "purge old trash", "abort unknown multipart uploads"} <= set(names)
