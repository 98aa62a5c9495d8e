"""The saga step ``thumbnail``: which images a file gets, and when they are deleted."""

from dataclasses import replace

import pytest

from metastore.features.files import repository as files
from metastore.features.media import repository
from metastore.features.media.models import Media
from metastore.kit.ids import new_id
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, NoPictureError
from metastore.ports.object_store import StoreFullError
from tests.fixtures.media_fakes import SOUND, SPRITE
from tests.fixtures.media_pipeline import MediaPipeline


async def media_of(pipeline: MediaPipeline, file_id: str) -> Media:
    async with pipeline.drive.database.reading() as tx:
        found = await repository.find(tx, file_id)
    assert found is not None
    return found


async def images(pipeline: MediaPipeline) -> list[str]:
    return sorted(key.rpartition("/")[2] for key in await pipeline.derived() if "/hls/" not in key)


async def test_an_image_gets_a_thumbnail_and_a_preview_image(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload()
    await pipeline.work()
    media, node = await media_of(pipeline, file.id), await pipeline.node(file.id)
    assert ["preview.webp", "thumbnail.webp"] == await images(pipeline)
    assert {node.thumbnail_key, media.preview_key} == await pipeline.derived()
    assert (None, None) == (media.sprite_key, media.waveform)


async def test_a_video_gets_a_sprite_as_well(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    await pipeline.work()
    media = await media_of(pipeline, file.id)
    assert ["preview.webp", "sprite.webp", "thumbnail.webp"] == await images(pipeline)
    assert SPRITE.data == pipeline.drive.store.objects[media.sprite_key or ""]
    assert {"columns": 5, "count": 5, "tileWidth": 160, "tileHeight": 90, "intervalMs": 4000} == media.sprite


async def test_an_audio_file_gets_a_waveform_and_its_cover(pipeline: MediaPipeline) -> None:
    pipeline.tools.probe_result = replace(SOUND, has_cover=True)
    file = await pipeline.upload(name="song.jpg")
    await pipeline.work()
    media = await media_of(pipeline, file.id)
    assert (["preview.webp", "thumbnail.webp"], 800) == (await images(pipeline), len(media.waveform or b""))


@pytest.mark.parametrize(
    "error", [NoPictureError(ReasonCode.DOCUMENT_LOCKED), MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
)
async def test_an_audio_file_with_an_unreadable_cover_becomes_ready(pipeline: MediaPipeline, error: Exception) -> None:
    pipeline.tools.probe_result = replace(SOUND, has_cover=True)
    pipeline.tools.failures["thumbnails"] = [error]
    file = await pipeline.upload(name="song.jpg")
    await pipeline.work()
    assert ("READY", []) == ((await pipeline.file(file.id)).status, await images(pipeline))


async def test_a_document_that_cannot_be_shown_becomes_ready_without_images(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["thumbnails"] = [NoPictureError(ReasonCode.DOCUMENT_LOCKED)]
    file = await pipeline.upload()
    await pipeline.work()
    assert ("READY", []) == ((await pipeline.file(file.id)).status, await images(pipeline))


async def test_no_thumbnail_is_requested_for_a_type_that_the_tools_cannot_show(pipeline: MediaPipeline) -> None:
    pipeline.tools.previewable = lambda _: False
    file = await pipeline.upload()
    await pipeline.work()
    assert ("READY", ["probe"]) == ((await pipeline.file(file.id)).status, pipeline.tools.calls)


async def test_a_video_without_a_sprite_becomes_ready(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["sprite"] = [NoPictureError(ReasonCode.FILM_WITHOUT_PICTURE)]
    file = await pipeline.film()
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert ["preview.webp", "thumbnail.webp"] == await images(pipeline)


async def test_a_second_attempt_deletes_the_images_of_the_first(pipeline: MediaPipeline) -> None:
    """The first was killed after it had stored two images."""
    pipeline.tools.failures["sprite"] = [MediaToolError("killed")]
    file = await pipeline.film()
    await pipeline.work()
    media = await media_of(pipeline, file.id)
    assert ["preview.webp", "sprite.webp", "thumbnail.webp"] == await images(pipeline)
    assert media.sprite_key
    assert media.sprite_key.startswith(media.thumbnails_prefix or "?")


async def test_existing_images_are_kept(pipeline: MediaPipeline) -> None:
    """When a file is processed again that was uploaded before preview images were introduced."""
    file = await pipeline.upload()
    old = f"{(await pipeline.node(file.id)).object_key}/thumbnail.webp"
    pipeline.drive.store.objects[old] = b"from long ago"
    async with pipeline.drive.database.transaction() as tx:
        await files.set_thumbnail(tx, file.id, old)
    await pipeline.work()
    assert old == (await pipeline.node(file.id)).thumbnail_key
    assert ["preview.webp", "thumbnail.webp"] == await images(pipeline)
    await pipeline.purge(file.id)
    assert {} == pipeline.drive.store.objects


async def test_images_are_deleted_when_a_later_step_fails(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.failures = [None, (0, MediaRefusedError(ReasonCode.FILM_UNREADABLE))]
    file = await pipeline.film()
    await pipeline.work()
    assert ("FAILED", set()) == ((await pipeline.file(file.id)).status, await pipeline.derived())


async def test_no_image_is_left_if_the_store_is_full(pipeline: MediaPipeline) -> None:
    file = await pipeline.upload()
    for _ in range(10):
        pipeline.drive.store.fail_after["put"] = StoreFullError("full")
        await pipeline.runner.run_due()
        pipeline.drive.clock.advance(seconds=20)
    await pipeline.work()
    assert ("FAILED", set()) == ((await pipeline.file(file.id)).status, await pipeline.derived())


async def test_each_attempt_uses_a_prefix_of_its_own(pipeline: MediaPipeline) -> None:
    pipeline.tools.failures["sprite"] = [MediaToolError("killed")]
    file = await pipeline.film()
    await pipeline.runner.run_due()
    first = (await media_of(pipeline, file.id)).thumbnails_prefix
    pipeline.drive.clock.advance(seconds=20)
    await pipeline.work()
    assert first != (await media_of(pipeline, file.id)).thumbnails_prefix
    assert len(new_id()) == len((first or "").rpartition("/")[2])
