"""Derived objects are checked against the store and made again if they are broken."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from metastore.features.files.models import Node
from metastore.features.media.models import Media, MediaSegment, Rendition, init_key, segment_key
from metastore.kit.saga_models import SagaRow
from metastore.ports.media_tools import MediaToolError
from metastore.processes.fsck import Checked, look
from metastore.processes.fsck.everything import Parts, all_checks
from tests.fixtures.house import House, house

__all__ = ["house"]
GRACE = timedelta(hours=1)


async def checked(house: House, *, repair: bool = False) -> list[Checked]:
    drive = house.drive
    parts = Parts(drive.database, drive.store, drive.files, drive.uploads, clock=drive.clock)
    checks = all_checks(parts, grace=GRACE, reads=True)
    return [found for check in checks.values() async for found in look(check, repair=repair, pauses=[0.0])]


async def kinds(house: House, *, repair: bool = False) -> list[str]:
    return [found.finding.kind for found in await checked(house, repair=repair)]


async def ready_video(house: House) -> str:
    """Create a ready video whose objects are older than the grace period."""
    file = await house.film()
    await house.work()
    age(house)
    return file.id


def age(house: House) -> None:
    """Make all objects older than the grace period."""
    for key in house.drive.store.objects:
        house.drive.store.born[key] = house.drive.clock() - 2 * GRACE


async def rendition(house: House, file_id: str, name: str) -> Rendition:
    return (await house.renditions(file_id))[name]


async def test_a_complete_video_has_no_findings(house: House) -> None:
    await ready_video(house)
    assert [] == await kinds(house)


async def test_a_video_being_processed_has_no_findings_at_any_moment(house: House) -> None:
    seen: list[str] = []

    def check_now(_name: str, number: int) -> None:
        age(house)

    house.transcoder.before = check_now
    for at in range(0, 10, 3):
        house.transcoder.troubles = [None, (at, MediaToolError("killed"))]
        file = await house.film()
        await house.runner.run_due()
        age(house)
        seen += await kinds(house, repair=True)
        await house.purge(file.id)
        await house.work()
    assert [] == seen
    assert {} == house.drive.store.objects


@pytest.mark.parametrize("object_of", ["segment", "init"])
async def test_a_rendition_with_a_missing_object_is_made_again(house: House, object_of: str) -> None:
    file_id = await ready_video(house)
    broken = await rendition(house, file_id, "v480")
    key = segment_key(broken.key_prefix, 3) if object_of == "segment" else init_key(broken.key_prefix)
    del house.drive.store.objects[key]
    [found] = await checked(house, repair=True)
    assert ("broken-rendition", broken.id) == (found.finding.kind, found.finding.id)
    assert key in found.finding.found
    assert "PROCESSING" == (await house.file(file_id)).status
    assert (await house.node(file_id)).playable_at
    assert [] == await kinds(house)
    events = len(await house.drive.facts())
    await house.work()
    assert "READY" == (await house.file(file_id)).status
    assert events == len(await house.drive.facts())
    again = await rendition(house, file_id, "v480")
    assert broken.id != again.id
    assert await house.expected_objects(file_id) == {key for key in await house.derived() if "/hls/" in key}
    assert ["v480"] == [rung.name for rung in house.transcoder.jobs[-1].rungs]
    age(house)
    assert [] == await kinds(house)


async def test_a_segment_of_the_wrong_size_is_found(house: House) -> None:
    file_id = await ready_video(house)
    broken = await rendition(house, file_id, "a0")
    house.drive.store.objects[segment_key(broken.key_prefix, 0)] += b"!"
    assert ["broken-rendition"] == await kinds(house)


async def test_renditions_left_over_by_failed_processing_are_deleted(house: House) -> None:
    file_id = await ready_video(house)
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(status="FAILED"))
    assert ["broken-rendition"] * 4 == await kinds(house, repair=True)
    assert {} == await house.renditions(file_id)
    assert not [key for key in house.drive.store.objects if "/hls/" in key]


async def test_unreferenced_segments_are_deleted(house: House) -> None:
    """A worker that had lost its lease stored them and died."""
    file_id = await ready_video(house)
    alive = await rendition(house, file_id, "v480")
    strangers = [
        f"{alive.key_prefix}/000017.m4s",
        f"{alive.key_prefix}/x.m4s",
        f"{alive.key_prefix.rpartition('/')[0]}/01990000-0000-7000-8000-000000000000/init.mp4",
        f"{(await house.node(file_id)).object_key}/01990000-0000-7000-8000-000000000000/preview.webp",
    ]
    for key in strangers:
        house.drive.store.objects[key] = b"stranger"
    assert [] == await kinds(house)
    age(house)
    found = await checked(house, repair=True)
    assert sorted(("orphan-object", key) for key in strangers) == sorted(
        (one.finding.kind, one.finding.id) for one in found
    )
    assert [] == await kinds(house)


async def test_derived_objects_of_a_missing_file_are_deleted(house: House) -> None:
    file_id = await ready_video(house)
    original = (await house.node(file_id)).object_key
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(delete(Node))
    del house.drive.store.objects[original or ""]
    assert ["dangling-media", "wrong-quota"] == await kinds(house, repair=True)
    assert {} == house.drive.store.objects


async def test_a_missing_preview_and_sprite_are_removed(house: House) -> None:
    await ready_video(house)
    for key in [key for key in house.drive.store.objects if key.endswith(("preview.webp", "sprite.webp"))]:
        del house.drive.store.objects[key]
    assert ["dangling-thumbnail"] * 2 == await kinds(house, repair=True)
    async with house.drive.database.reading() as tx:
        media = (await tx.session.scalars(select(Media))).one()
    assert (None, None) == (media.preview_key, media.sprite_key)
    assert [] == await kinds(house)


async def test_a_video_wrongly_marked_as_playable_is_processed_again(house: House) -> None:
    file_id = await ready_video(house)
    house.drive.store.objects = {key: data for key, data in house.drive.store.objects.items() if "/hls/" not in key}
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(delete(MediaSegment))
        await tx.session.execute(delete(Rendition))
    assert ["wrong-playable"] == await kinds(house, repair=True)
    assert (await house.node(file_id)).playable_at is None
    await house.work()
    assert (await house.node(file_id)).playable_at
    age(house)
    assert [] == await kinds(house)


async def test_a_playable_video_without_the_mark_is_marked(house: House) -> None:
    file_id = await ready_video(house)
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(playable_at=None))
    assert ["wrong-playable"] == await kinds(house, repair=True)
    assert (await house.node(file_id)).playable_at


async def test_videos_waiting_for_a_long_step_are_not_stuck(house: House) -> None:
    """One is being transcoded for hours, and another has been due since then."""
    first, second = (await house.film()).id, (await house.bring(name="second.mp4")).id
    async with house.drive.database.transaction() as tx:
        long_ago = house.drive.clock() - timedelta(hours=2)
        await tx.session.execute(update(SagaRow).values(step="transcode", due_at=long_ago))
        at_work = update(SagaRow).where(SagaRow.subject == first)
        await tx.session.execute(at_work.values(locked_until=house.drive.clock() + timedelta(minutes=1)))
    assert [] == await kinds(house)
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(update(SagaRow).values(locked_until=None))
    assert ["stuck-saga"] * 2 == await kinds(house)
    assert first != second
