"""The saga step ``thumbnail``: which images a file gets, and that a compensation deletes them."""

from dataclasses import replace

import pytest

from metastore.features.files import repository as files
from metastore.features.media import repository
from metastore.features.media.models import Media
from metastore.kit.ids import new_id
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaRefusedError, MediaToolError, NothingToSeeError
from metastore.ports.object_store import StoreFullError
from tests.fixtures.house import House
from tests.fixtures.media_fakes import SOUND, SPRITE


async def media_of(house: House, file_id: str) -> Media:
    async with house.drive.database.reading() as tx:
        found = await repository.find(tx, file_id)
    assert found is not None
    return found


async def images(house: House) -> list[str]:
    return sorted(key.rpartition("/")[2] for key in await house.derived() if "/hls/" not in key)


async def test_an_image_gets_a_thumbnail_and_a_preview_image(house: House) -> None:
    file = await house.bring()
    await house.work()
    media, node = await media_of(house, file.id), await house.node(file.id)
    assert ["preview.webp", "thumbnail.webp"] == await images(house)
    assert {node.thumbnail_key, media.preview_key} == await house.derived()
    assert (None, None) == (media.sprite_key, media.waveform)


async def test_a_video_gets_a_sprite_as_well(house: House) -> None:
    file = await house.film()
    await house.work()
    media = await media_of(house, file.id)
    assert ["preview.webp", "sprite.webp", "thumbnail.webp"] == await images(house)
    assert SPRITE.data == house.drive.store.objects[media.sprite_key or ""]
    assert {"columns": 5, "count": 5, "tileWidth": 160, "tileHeight": 90, "intervalMs": 4000} == media.sprite


async def test_an_audio_file_gets_a_waveform_and_its_cover(house: House) -> None:
    house.tools.facts = replace(SOUND, has_cover=True)
    file = await house.bring(name="song.jpg")
    await house.work()
    media = await media_of(house, file.id)
    assert (["preview.webp", "thumbnail.webp"], 800) == (await images(house), len(media.waveform or b""))


@pytest.mark.parametrize(
    "error", [NothingToSeeError(ReasonCode.DOCUMENT_LOCKED), MediaRefusedError(ReasonCode.PICTURE_UNREADABLE)]
)
async def test_an_audio_file_with_an_unreadable_cover_becomes_ready(house: House, error: Exception) -> None:
    house.tools.facts = replace(SOUND, has_cover=True)
    house.tools.troubles["thumbnails"] = [error]
    file = await house.bring(name="song.jpg")
    await house.work()
    assert ("READY", []) == ((await house.file(file.id)).status, await images(house))


async def test_a_document_that_cannot_be_shown_becomes_ready_without_images(house: House) -> None:
    house.tools.troubles["thumbnails"] = [NothingToSeeError(ReasonCode.DOCUMENT_LOCKED)]
    file = await house.bring()
    await house.work()
    assert ("READY", []) == ((await house.file(file.id)).status, await images(house))


async def test_no_thumbnail_is_requested_for_a_type_that_the_tools_cannot_show(house: House) -> None:
    house.tools.shown = lambda _: False
    file = await house.bring()
    await house.work()
    assert ("READY", ["probe"]) == ((await house.file(file.id)).status, house.tools.asked)


async def test_a_video_without_a_sprite_becomes_ready(house: House) -> None:
    house.tools.troubles["sprite"] = [NothingToSeeError(ReasonCode.FILM_WITHOUT_PICTURE)]
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["preview.webp", "thumbnail.webp"] == await images(house)


async def test_a_second_attempt_deletes_the_images_of_the_first(house: House) -> None:
    """The first was killed after it had stored two images."""
    house.tools.troubles["sprite"] = [MediaToolError("killed")]
    file = await house.film()
    await house.work()
    media = await media_of(house, file.id)
    assert ["preview.webp", "sprite.webp", "thumbnail.webp"] == await images(house)
    assert media.sprite_key
    assert media.sprite_key.startswith(media.pictures_prefix or "?")


async def test_existing_images_are_kept(house: House) -> None:
    """When a file is processed again that was uploaded before preview images were introduced."""
    file = await house.bring()
    old = f"{(await house.node(file.id)).object_key}/thumbnail.webp"
    house.drive.store.objects[old] = b"from long ago"
    async with house.drive.database.transaction() as tx:
        await files.set_thumbnail(tx, file.id, old)
    await house.work()
    assert old == (await house.node(file.id)).thumbnail_key
    assert ["preview.webp", "thumbnail.webp"] == await images(house)
    await house.purge(file.id)
    assert {} == house.drive.store.objects


async def test_images_are_deleted_when_a_later_step_fails(house: House) -> None:
    house.transcoder.troubles = [None, (0, MediaRefusedError(ReasonCode.FILM_UNREADABLE))]
    file = await house.film()
    await house.work()
    assert ("FAILED", set()) == ((await house.file(file.id)).status, await house.derived())


async def test_no_image_is_left_if_the_store_is_full(house: House) -> None:
    file = await house.bring()
    for _ in range(10):
        house.drive.store.after["put"] = StoreFullError("full")
        await house.runner.run_due()
        house.drive.clock.pass_by(seconds=20)
    await house.work()
    assert ("FAILED", set()) == ((await house.file(file.id)).status, await house.derived())


async def test_each_attempt_uses_a_prefix_of_its_own(house: House) -> None:
    house.tools.troubles["sprite"] = [MediaToolError("killed")]
    file = await house.film()
    await house.runner.run_due()
    first = (await media_of(house, file.id)).pictures_prefix
    house.drive.clock.pass_by(seconds=20)
    await house.work()
    assert first != (await media_of(house, file.id)).pictures_prefix
    assert len(new_id()) == len((first or "").rpartition("/")[2])
