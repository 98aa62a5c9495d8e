"""Each kind of inconsistency is found, repaired, and not found again."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from metastore.features.auth.models import User
from metastore.features.files.models import Node
from metastore.features.files.tree.access import authorize_file
from metastore.features.files.tree.rights import Right
from metastore.features.media.models import Media
from metastore.features.uploads.models import Upload
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.kit.saga.models import SagaRow
from metastore.processes.fsck import CheckResult, run_check
from metastore.processes.fsck.registry import Components, all_checks
from tests.fixtures.accounts import Storage
from tests.fixtures.user_drive import NOTHING, Drive

CONTENT = b"twenty-five bytes of text"
GRACE = timedelta(hours=1)


async def checked(drive: Drive, *, repair: bool = False, reads: bool = True) -> list[CheckResult]:
    """Return all findings."""
    parts = Components(drive.database, drive.store, drive.files, drive.uploads, clock=drive.clock)
    checks = all_checks(parts, grace=GRACE, reads=reads)
    return [found for check in checks.values() async for found in run_check(check, repair=repair, recheck_delays=[0.0])]


async def kinds(drive: Drive, *, repair: bool = False, reads: bool = True) -> list[str]:
    """Return the kinds of all findings."""
    return [found.finding.kind for found in await checked(drive, repair=repair, reads=reads)]


async def ready_file(drive: Drive, content: bytes = CONTENT) -> Node:
    """Create a file that is ready."""
    upload = await drive.initiate(content)
    await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, content))
    return await node_of(drive, upload.file_id)


async def node_of(drive: Drive, file_id: str) -> Node:
    """Return a file's row."""
    async with drive.database.reading() as tx:
        node = await tx.session.get(Node, file_id)
    assert node is not None
    return node


async def test_a_consistent_drive_has_no_findings(drive: Drive) -> None:
    """It has files, an open upload, and a file in the trash."""
    await ready_file(drive)
    await drive.initiate(CONTENT, name="b.txt")
    node = await ready_file(drive, b"other")
    async with drive.database.transaction() as tx:
        await drive.files.move_to_trash(tx, await authorize_file(tx, drive.caller, node.id, Right.VIEW))
    assert [] == await kinds(drive)


async def test_a_missing_object_marks_its_file_and_deletes_nothing(drive: Drive) -> None:
    node = await ready_file(drive)
    content = drive.store.objects.pop(node.object_key or "")
    [missing] = await checked(drive)
    assert ("missing-object", node.id, None) == (missing.finding.kind, missing.finding.id, missing.repaired)
    assert ["missing-object"] == await kinds(drive, repair=True, reads=False)
    async with drive.database.reading() as tx:
        assert "FAILED" == (await drive.files.owned_file(tx, drive.owner, node.id)).status
    assert "file.damaged" == (await drive.event_types())[-1]
    # The file stays marked until its object is intact again.
    assert [] == await kinds(drive, repair=True)
    drive.store.objects[node.object_key or ""] = content
    assert ["recovered-file"] == await kinds(drive, repair=True)
    assert "file.recovered" == (await drive.event_types())[-1]
    assert [] == await kinds(drive)
    async with drive.database.reading() as tx:
        assert "READY" == (await drive.files.owned_file(tx, drive.owner, node.id)).status


async def test_damaged_files_cannot_be_downloaded(drive: Drive) -> None:
    node = await ready_file(drive)
    drive.store.objects[node.object_key or ""] = CONTENT.replace(b"t", b"T")
    assert ["wrong-checksum"] == await kinds(drive, repair=True)
    async with drive.database.reading() as tx:
        access = await authorize_file(tx, drive.caller, node.id, Right.VIEW)
    with pytest.raises(Problem) as refusal:
        drive.files.downloadable(access)
    assert (409, "file-damaged") == (refusal.value.status, refusal.value.code)


async def test_a_wrong_size_is_found_without_reading_the_bytes(drive: Drive) -> None:
    node = await ready_file(drive)
    drive.store.objects[node.object_key or ""] = CONTENT[:-1]
    assert ["wrong-size"] == await kinds(drive, reads=False)


async def test_unreferenced_objects_are_deleted_after_the_grace_period(drive: Drive) -> None:
    node = await ready_file(drive)
    drive.store.objects["files/orphan"] = b"orphan"
    drive.store.objects["elsewhere/not-ours"] = b"kept"
    assert [] == await kinds(drive)
    drive.store.created_at["files/orphan"] = drive.clock() - 2 * GRACE
    assert ["orphan-object"] == await kinds(drive, repair=True)
    assert {node.object_key, "elsewhere/not-ours"} == set(drive.store.objects)


async def test_an_object_whose_deletion_is_pending_is_no_orphan(drive: Drive) -> None:
    node = await ready_file(drive)
    async with drive.database.transaction() as tx:
        await drive.files.move_to_trash(tx, await authorize_file(tx, drive.caller, node.id, Right.VIEW))
    drive.clock.advance(seconds=7200)
    async with drive.database.transaction() as tx:
        await drive.files.purge_expired_trash(tx, before=drive.clock(), limit=10)
    drive.store.created_at[node.object_key or ""] = drive.clock() - 2 * GRACE
    assert [] == await kinds(drive)


async def test_unknown_multipart_uploads_are_aborted_after_the_grace_period(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    known = await drive.store_id(upload.upload_id)
    async with drive.database.reading() as tx:
        row = await tx.session.get(Upload, upload.upload_id)
    assert row is not None
    await drive.store.create_multipart("files/unknown", size=5, part_size=5, content_type="a/b")
    # A second multipart upload under the key of an upload that has another.
    await drive.store.create_multipart(row.object_key, size=5, part_size=5, content_type="a/b")
    assert [] == await kinds(drive)
    drive.clock.advance(seconds=7200)
    assert ["orphan-multipart"] * 2 == await kinds(drive, repair=True)
    assert [known] == list(drive.store.multiparts)


async def test_an_upload_lost_by_the_store_is_ended(drive: Drive) -> None:
    await drive.initiate(CONTENT)
    drive.store.multiparts.clear()
    assert ["lost-multipart"] == await kinds(drive, repair=True)
    assert NOTHING == await drive.leftovers()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_an_upload_whose_object_is_complete_becomes_a_file(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    drive.store.multiparts.clear()
    async with drive.database.reading() as tx:
        row = await tx.session.get(Upload, upload.upload_id)
    assert row is not None
    drive.store.objects[row.object_key] = CONTENT
    assert ["lost-multipart"] == await kinds(drive, repair=True)
    assert "READY" == (await node_of(drive, upload.file_id)).status
    assert Storage(used=25, reserved=0) == await drive.storage()


async def test_wrong_counters_are_set_to_the_sums_of_the_rows(drive: Drive) -> None:
    await ready_file(drive)
    await drive.initiate(b"12345", name="b.txt")
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(User).values(storage_used=7, storage_reserved=8))
    assert ["wrong-quota"] == await kinds(drive, repair=True)
    assert Storage(used=25, reserved=5) == await drive.storage()
    assert [] == await kinds(drive)


async def test_an_uploading_file_without_an_upload_is_removed(drive: Drive) -> None:
    await drive.initiate(CONTENT)
    drive.store.multiparts.clear()
    async with drive.database.transaction() as tx:
        await tx.session.execute(delete(Upload))
        await tx.session.execute(update(User).values(storage_reserved=0))
    assert ["stranded-file"] == await kinds(drive, repair=True)
    assert NOTHING == await drive.leftovers()


async def test_stuck_events_are_found_and_waiting_ones_are_not(drive: Drive) -> None:
    await ready_file(drive)
    assert [] == await kinds(drive)
    stuck = new_id()
    async with drive.database.transaction() as tx:
        for event_id, status, age in ((stuck, "pending", 1200), (new_id(), "lost", 0)):
            values = {"event_type": "file.ready", "aggregate": "file:x", "payload": {}, "headers": {}, "attempts": 9}
            created_at = drive.clock() - timedelta(seconds=age)
            tx.session.add(OutboxEvent(id=event_id, status=status, created_at=created_at, **values))
    assert ["stuck-event"] * 2 == await kinds(drive, repair=True)
    async with drive.database.reading() as tx:
        event = await tx.session.get(OutboxEvent, stuck)
    assert event is not None
    assert ("pending", 0) == (event.status, event.attempts)


async def test_a_missing_thumbnail_is_removed_and_one_being_made_is_kept(drive: Drive) -> None:
    node = await ready_file(drive)
    made, making = f"{node.object_key}/made.webp", f"{node.object_key}/making.webp"
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(thumbnail_key=made, status="PROCESSING"))
    for key in (made, making):
        drive.store.objects[key] = b"picture"
        drive.store.created_at[key] = drive.clock() - 2 * GRACE
    assert [] == await kinds(drive)
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(status="READY"))
    del drive.store.objects[made]
    assert ["orphan-object", "dangling-thumbnail"] == await kinds(drive, repair=True)
    assert (await node_of(drive, node.id)).thumbnail_key is None
    assert [] == await kinds(drive)


async def test_a_media_record_without_a_file_is_deleted(drive: Drive) -> None:
    node = await ready_file(drive)
    missing = new_id()
    async with drive.database.transaction() as tx:
        for file_id in (node.id, missing):
            tx.session.add(Media(file_id=file_id, container="mp4"))
    [dangling] = await checked(drive, repair=True)
    assert ("dangling-media", missing) == (dangling.finding.kind, dangling.finding.id)
    assert [] == await kinds(drive)


async def test_stuck_sagas_are_made_due(drive: Drive) -> None:
    now = drive.clock()
    hour = timedelta(hours=1)
    # By subject: the due time, the end of the lease, and whether the saga is stuck.
    sagas = {
        "due in an hour": (now + hour, None, False),
        "due a minute ago": (now - timedelta(minutes=1), None, False),
        "claimed": (now - hour, now + timedelta(minutes=1), False),
        "overdue": (now - hour, None, True),
        "never due": (None, None, True),
        "claimed for two days": (now - hour, now + 48 * hour, True),
    }
    async with drive.database.transaction() as tx:
        for subject, (due_at, locked_until, _) in sagas.items():
            values = {"kind": "test", "state": "running", "step": "first", "data": {}}
            times = {"due_at": due_at, "locked_until": locked_until, "created_at": now, "updated_at": now}
            tx.session.add(SagaRow(id=new_id(), subject=subject, **values, **times))
    found = [stuck.finding.found for stuck in await checked(drive, repair=True)]
    stuck_subjects = [subject for subject, saga in sagas.items() if saga[2]]
    assert len(stuck_subjects) == len(found)
    assert all(any(f"test of {subject} " in text for text in found) for subject in stuck_subjects)
    assert [] == await kinds(drive)
