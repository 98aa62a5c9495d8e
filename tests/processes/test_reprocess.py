"""Files from earlier versions are processed again at an operator's request."""

from sqlalchemy import delete, update

from metastore.features.files.models import Node
from metastore.features.media.models import Media
from metastore.processes.reprocess import restart_processing
from tests.fixtures.media_pipeline import MediaPipeline, pipeline

__all__ = ["pipeline"]


async def old_film(pipeline: MediaPipeline) -> str:
    """Create a film as an earlier version left it: ready, with a thumbnail and no other derived objects."""
    file = await pipeline.film()
    await pipeline.work()
    thumbnail_key = f"{(await pipeline.node(file.id)).object_key}/thumbnail.webp"
    for key in await pipeline.derived():
        del pipeline.drive.store.objects[key]
    pipeline.drive.store.objects[thumbnail_key] = b"old thumbnail"
    async with pipeline.drive.database.transaction() as tx:
        await tx.session.execute(delete(Media))
        tx.session.add(Media(file_id=file.id, container="mp4", width=1280, height=720))
        await tx.session.execute(update(Node).values(playable_at=None, thumbnail_key=thumbnail_key))
    return file.id


async def test_what_an_old_film_lacks_is_made_without_notifications(pipeline: MediaPipeline) -> None:
    film = await old_film(pipeline)
    text = await pipeline.upload(b"just some text", "notes.txt")
    event_types = len(await pipeline.drive.event_types())
    assert 1 == await restart_processing(pipeline.drive.database, can_preview=lambda kind: not kind.startswith("text/"))
    assert "PROCESSING" == (await pipeline.file(film)).status
    assert "READY" == (await pipeline.file(text.id)).status
    await pipeline.work()
    assert "READY" == (await pipeline.file(film)).status
    node = await pipeline.node(film)
    assert node.playable_at
    assert b"old thumbnail" == pipeline.drive.store.objects[node.thumbnail_key or ""]
    assert {"a0", "v360", "v480", "v720"} == (await pipeline.renditions(film)).keys()
    assert event_types == len(await pipeline.drive.event_types())
    await pipeline.purge(film)
    assert [b"just some text"] == list(pipeline.drive.store.objects.values())


async def test_a_complete_film_is_processed_again_only_on_request(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    await pipeline.work()
    before, jobs = {**pipeline.drive.store.objects}, len(pipeline.transcoder.jobs)
    assert 0 == await restart_processing(pipeline.drive.database, can_preview=lambda _: True)
    assert 1 == await restart_processing(pipeline.drive.database, can_preview=lambda _: True, include_complete=True)
    await pipeline.work()
    assert ("READY", jobs) == ((await pipeline.file(file.id)).status, len(pipeline.transcoder.jobs))
    assert before == pipeline.drive.store.objects


async def test_files_that_are_being_processed_are_skipped(pipeline: MediaPipeline) -> None:
    await pipeline.film()
    assert 0 == await restart_processing(pipeline.drive.database, can_preview=lambda _: True, include_complete=True)
