"""What people and crashes leave behind is found and freed."""

from datetime import timedelta

import pytest

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.features.auth.passwords import Argon2Hasher
from metastore.features.auth.service import AuthService
from metastore.features.auth.tokens import Tokens
from metastore.features.uploads import reaping
from metastore.features.uploads.models import Upload
from metastore.kit.problem import Problem
from metastore.ports.object_store import StoreUnavailableError
from metastore.processes.reaper import Reaper, ReaperTimes
from tests.fixtures.accounts import Storage
from tests.fixtures.drive import NOTHING, Drive, wanted

CONTENT = b"twenty-five bytes of text"
TTL = 3600


@pytest.fixture
def reaper(drive: Drive) -> Reaper:
    times = ReaperTimes(interval=60, upload_ttl=TTL, trash_ttl=TTL)
    auth = AuthService(tokens=Tokens(b"k" * 32), hasher=Argon2Hasher(), limiter=MemoryRateLimiter(), clock=drive.clock)
    return Reaper(drive.database, drive.store, drive.uploads, drive.files, auth, times, drive.clock)


async def test_uploads_within_their_time_are_left_alone(drive: Drive, reaper: Reaper) -> None:
    upload = await drive.initiate(CONTENT)
    drive.clock.pass_by(seconds=TTL - 10)
    await reaper.round()
    assert (await drive.uploads.resume(drive.owner, upload.upload_id)).size == len(CONTENT)


async def test_abandoned_uploads_are_freed_to_the_byte(drive: Drive, reaper: Reaper) -> None:
    for number in range(3):
        upload = await drive.initiate(CONTENT, name=f"{number}.txt")
        drive.store.put_part(await drive.store_id(upload.upload_id), 1, CONTENT[:10])
    drive.clock.pass_by(seconds=TTL + 1)
    await reaper.round()
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)


async def test_an_upload_that_is_resumed_while_the_reaper_is_at_it_lives_on(drive: Drive) -> None:
    """A reaper whose clock is ahead of the one that answers people."""
    upload = await drive.initiate(CONTENT)
    drive.clock.pass_by(seconds=TTL - 1)
    (read,) = await reaping.expired_uploads(drive.database, drive.clock() + timedelta(seconds=2), 10)
    await drive.uploads.resume(drive.owner, upload.upload_id)
    await drive.uploads.expire(read)
    parts = await drive.send(upload, CONTENT)
    file = await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, parts)
    assert file.status == "READY"


async def test_an_upload_that_died_before_the_store_answered_is_freed(drive: Drive, reaper: Reaper) -> None:
    async with drive.database.transaction() as tx:
        await drive.uploads.begin(tx, drive.owner, wanted())
    drive.clock.pass_by(seconds=TTL + 1)
    await reaper.round()
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)


async def test_an_upload_that_died_between_store_and_database_becomes_its_file(drive: Drive, reaper: Reaper) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem):
        await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, parts)
    drive.clock.pass_by(seconds=TTL + 1)
    await reaper.round()
    async with drive.database.reading() as tx:
        assert (await drive.files.file_out(tx, drive.owner, upload.file_id)).status == "READY"
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_a_reaper_that_is_late_leaves_the_bytes_of_a_file_alone(drive: Drive) -> None:
    """Another has made the upload a file and forgotten the upload, while this one still holds what it read."""
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.after["complete_multipart"] = StoreUnavailableError("killed")
    with pytest.raises(Problem):
        await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, parts)
    drive.clock.pass_by(seconds=TTL + 1)
    for_both = [await reaping.find(drive.database, upload.upload_id) for _ in range(2)]
    for read in for_both:
        assert read is not None
        await drive.uploads.expire(read)
        await reaping.forget_completed(drive.database, drive.clock(), 10)
    async with drive.database.reading() as tx:
        assert (await drive.files.file_out(tx, drive.owner, upload.file_id)).status == "READY"
    assert list(drive.store.objects.values()) == [CONTENT]


async def test_multiparts_that_the_database_does_not_know_are_aborted_once_they_are_old(
    drive: Drive, reaper: Reaper
) -> None:
    await drive.store.create_multipart("files/unknown", size=5, part_size=5, content_type="text/plain")
    await reaper.round()
    assert len(drive.store.multiparts) == 1
    drive.clock.pass_by(seconds=TTL + 1)
    await reaper.round()
    assert drive.store.multiparts == {}


async def test_a_store_that_is_away_is_asked_again_by_the_event_of_the_abort(drive: Drive, reaper: Reaper) -> None:
    await drive.initiate(CONTENT)
    drive.clock.pass_by(seconds=TTL + 1)
    drive.store.fail_next["abort_multipart"] = StoreUnavailableError("away")
    await reaper.round()
    assert (await drive.leftovers())["uploads"] == 0
    assert (await drive.facts())[-2:] == ["upload.aborted", "file.failed"]
    await reaper.round()
    assert drive.store.multiparts == {}


async def test_completed_uploads_are_forgotten_and_their_files_stay(drive: Drive, reaper: Reaper) -> None:
    upload = await drive.initiate(CONTENT)
    await drive.uploads.complete(drive.owner, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT))
    drive.clock.pass_by(seconds=TTL + timedelta(days=1).total_seconds() + 1)
    await reaper.round()
    async with drive.database.reading() as tx:
        assert await tx.session.get(Upload, upload.upload_id) is None
        assert (await drive.files.file_out(tx, drive.owner, upload.file_id)).status == "READY"


async def test_a_second_multipart_under_the_key_of_an_upload_is_aborted(drive: Drive, reaper: Reaper) -> None:
    """A crash while the store answered leaves one that nobody will ever name; the other goes on."""
    upload = await drive.initiate(CONTENT)
    known = await drive.store_id(upload.upload_id)
    key = drive.store.multiparts[known].key
    await drive.store.create_multipart(key, size=5, part_size=5, content_type="text/plain")
    drive.clock.pass_by(seconds=TTL - 10)
    await drive.uploads.resume(drive.owner, upload.upload_id)
    drive.clock.pass_by(seconds=20)
    await reaper.round()
    assert [known] == list(drive.store.multiparts)


async def test_an_upload_whose_parts_the_store_has_lost_is_ended_at_the_second_look(
    drive: Drive, reaper: Reaper
) -> None:
    await drive.initiate(CONTENT)
    await drive.initiate(CONTENT, name="b.txt")
    drive.store.multiparts.popitem()
    await reaper.round()
    assert (await drive.leftovers())["uploads"] == 2
    await reaper.round()
    assert await drive.leftovers() == {"nodes": 1, "uploads": 1, "objects": 0, "multiparts": 1}
    assert await drive.storage() == Storage(used=0, reserved=25)


async def test_a_store_that_is_away_has_lost_nothing(drive: Drive, reaper: Reaper) -> None:
    await drive.initiate(CONTENT)
    for _ in range(3):
        drive.store.fail_next["is_open"] = StoreUnavailableError("away")
        await reaper.round()
    assert (await drive.leftovers())["uploads"] == 1
