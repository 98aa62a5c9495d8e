"""Derived objects are checked against the store and made again if they are broken."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from metastore.features.files.models import Node
from metastore.features.media.models import Media, MediaSegment, Rendition
from metastore.features.media.objects.keys import init_key, segment_key
from metastore.kit.saga.models import SagaRow
from metastore.ports.media_tools import MediaToolError
from metastore.processes.fsck import CheckResult, run_check
from metastore.processes.fsck.registry import Components, all_checks
from tests.fixtures.media_pipeline import MediaPipeline, pipeline

__all__ = ["pipeline"]
GRACE = timedelta(hours=1)


async def checked(pipeline: MediaPipeline, *, repair: bool = False) -> list[CheckResult]:
    drive = pipeline.drive
    parts = Components(drive.database, drive.store, drive.files, drive.uploads, clock=drive.clock)
    checks = all_checks(parts, grace=GRACE, reads=True)
    return [found for check in checks.values() async for found in run_check(check, repair=repair, recheck_delays=[0.0])]


async def kinds(pipeline: MediaPipeline, *, repair: bool = False) -> list[str]:
    return [found.finding.kind for found in await checked(pipeline, repair=repair)]


async def ready_film(pipeline: MediaPipeline) -> str:
    """Create a ready video whose objects are older than the grace period."""
    file = await pipeline.film()
    await pipeline.work()
    age(pipeline)
    return file.id


def age(pipeline: MediaPipeline) -> None:
    """Make all objects older than the grace period."""
    for key in pipeline.drive.store.objects:
        pipeline.drive.store.created_at[key] = pipeline.drive.clock() - 2 * GRACE


async def rendition(pipeline: MediaPipeline, file_id: str, name: str) -> Rendition:
    return (await pipeline.renditions(file_id))[name]


async def test_a_complete_video_has_no_findings(pipeline: MediaPipeline) -> None:
    await ready_film(pipeline)
    assert [] == await kinds(pipeline)


async def test_a_video_being_processed_has_no_findings_at_any_moment(pipeline: MediaPipeline) -> None:
    seen: list[str] = []

    def check_now(_name: str, number: int) -> None:
        age(pipeline)

    pipeline.transcoder.before = check_now
    for at in range(0, 10, 3):
        pipeline.transcoder.failures = [None, (at, MediaToolError("killed"))]
        file = await pipeline.film()
        await pipeline.runner.run_due()
        age(pipeline)
        seen += await kinds(pipeline, repair=True)
        await pipeline.purge(file.id)
        await pipeline.work()
    assert [] == seen
    assert {} == pipeline.drive.store.objects


@pytest.mark.parametrize("object_of", ["segment", "init"])
async def test_a_rendition_with_a_missing_object_is_made_again(pipeline: MediaPipeline, object_of: str) -> None:
    file_id = await ready_film(pipeline)
    broken = await rendition(pipeline, file_id, "v480")
    key = segment_key(broken.key_prefix, 3) if object_of == "segment" else init_key(broken.key_prefix)
    del pipeline.drive.store.objects[key]
    [found] = await checked(pipeline, repair=True)
    assert ("broken-rendition", broken.id) == (found.finding.kind, found.finding.id)
    assert key in found.finding.found
    assert "PROCESSING" == (await pipeline.file(file_id)).status
    assert (await pipeline.node(file_id)).playable_at
    assert [] == await kinds(pipeline)
    event_types = len(await pipeline.drive.event_types())
    await pipeline.work()
    assert "READY" == (await pipeline.file(file_id)).status
    assert event_types == len(await pipeline.drive.event_types())
    again = await rendition(pipeline, file_id, "v480")
    assert broken.id != again.id
    assert await pipeline.expected_objects(file_id) == {key for key in await pipeline.derived() if "/hls/" in key}
    assert ["v480"] == [rung.name for rung in pipeline.transcoder.jobs[-1].rungs]
    age(pipeline)
    assert [] == await kinds(pipeline)


async def test_a_segment_of_the_wrong_size_is_found(pipeline: MediaPipeline) -> None:
    file_id = await ready_film(pipeline)
    broken = await rendition(pipeline, file_id, "a0")
    pipeline.drive.store.objects[segment_key(broken.key_prefix, 0)] += b"!"
    assert ["broken-rendition"] == await kinds(pipeline)


async def test_renditions_left_over_by_failed_processing_are_deleted(pipeline: MediaPipeline) -> None:
    file_id = await ready_film(pipeline)
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(status="FAILED"))
    assert ["broken-rendition"] * 4 == await kinds(pipeline, repair=True)
    assert {} == await pipeline.renditions(file_id)
    assert not [key for key in pipeline.drive.store.objects if "/hls/" in key]


async def test_unreferenced_segments_are_deleted(pipeline: MediaPipeline) -> None:
    """A worker that had lost its lease stored them and died."""
    file_id = await ready_film(pipeline)
    rendition_row = await rendition(pipeline, file_id, "v480")
    unreferenced = [
        f"{rendition_row.key_prefix}/000017.m4s",
        f"{rendition_row.key_prefix}/x.m4s",
        f"{rendition_row.key_prefix.rpartition('/')[0]}/01990000-0000-7000-8000-000000000000/init.mp4",
        f"{(await pipeline.node(file_id)).object_key}/01990000-0000-7000-8000-000000000000/preview.webp",
    ]
    for key in unreferenced:
        pipeline.drive.store.objects[key] = b"unreferenced"
    assert [] == await kinds(pipeline)
    age(pipeline)
    found = await checked(pipeline, repair=True)
    assert sorted(("orphan-object", key) for key in unreferenced) == sorted(
        (one.finding.kind, one.finding.id) for one in found
    )
    assert [] == await kinds(pipeline)


async def test_derived_objects_of_a_missing_file_are_deleted(pipeline: MediaPipeline) -> None:
    file_id = await ready_film(pipeline)
    original = (await pipeline.node(file_id)).object_key
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(delete(Node))
    del pipeline.drive.store.objects[original or ""]
    assert ["dangling-media", "wrong-quota"] == await kinds(pipeline, repair=True)
    assert {} == pipeline.drive.store.objects


async def test_a_missing_preview_and_sprite_are_removed(pipeline: MediaPipeline) -> None:
    await ready_film(pipeline)
    for key in [key for key in pipeline.drive.store.objects if key.endswith(("preview.webp", "sprite.webp"))]:
        del pipeline.drive.store.objects[key]
    assert ["dangling-thumbnail"] * 2 == await kinds(pipeline, repair=True)
    async with pipeline.drive.database.reading() as tx:
        media = (await tx.session.scalars(select(Media))).one()
    assert (None, None) == (media.preview_key, media.sprite_key)
    assert [] == await kinds(pipeline)


async def test_a_video_wrongly_marked_as_playable_is_processed_again(pipeline: MediaPipeline) -> None:
    file_id = await ready_film(pipeline)
    pipeline.drive.store.objects = {
        key: data for key, data in pipeline.drive.store.objects.items() if "/hls/" not in key
    }
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(delete(MediaSegment))
        await tx.session.execute(delete(Rendition))
    assert ["wrong-playable"] == await kinds(pipeline, repair=True)
    assert (await pipeline.node(file_id)).playable_at is None
    await pipeline.work()
    assert (await pipeline.node(file_id)).playable_at
    age(pipeline)
    assert [] == await kinds(pipeline)


async def test_a_playable_video_without_the_mark_is_marked(pipeline: MediaPipeline) -> None:
    file_id = await ready_film(pipeline)
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(update(Node).values(playable_at=None))
    assert ["wrong-playable"] == await kinds(pipeline, repair=True)
    assert (await pipeline.node(file_id)).playable_at


async def test_videos_waiting_for_a_long_step_are_not_stuck(pipeline: MediaPipeline) -> None:
    """One is being transcoded for hours, and another has been due since then."""
    first, second = (await pipeline.film()).id, (await pipeline.upload(name="second.mp4")).id
    async with pipeline.drive.database.transaction() as tx:
        long_ago = pipeline.drive.clock() - timedelta(hours=2)
        await tx.session.execute(update(SagaRow).values(step="transcode", due_at=long_ago))
        at_work = update(SagaRow).where(SagaRow.subject == first)
        await tx.session.execute(at_work.values(locked_until=pipeline.drive.clock() + timedelta(minutes=1)))
    assert [] == await kinds(pipeline)
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(update(SagaRow).values(locked_until=None))
    assert ["stuck-saga"] * 2 == await kinds(pipeline)
    assert first != second
