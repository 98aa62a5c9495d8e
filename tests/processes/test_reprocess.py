"""Files that came before there was anything to be made of them get it at the operator's wish."""

from sqlalchemy import delete, update

from metastore.features.files.models import Node
from metastore.features.media.models import Media
from metastore.processes.reprocess import process_again
from tests.fixtures.house import House, house

__all__ = ["house"]


async def old_film(house: House) -> str:
    """A film as an earlier version left it: ready, with a small picture of its own and nothing else."""
    file = await house.film()
    await house.work()
    small = f"{(await house.node(file.id)).object_key}/thumbnail.webp"
    for key in await house.derived():
        del house.drive.store.objects[key]
    house.drive.store.objects[small] = b"from long ago"
    async with house.drive.database.transaction() as tx:
        await tx.session.execute(delete(Media))
        tx.session.add(Media(file_id=file.id, container="mp4", width=1280, height=720))
        await tx.session.execute(update(Node).values(playable_at=None, thumbnail_key=small))
    return file.id


async def test_an_old_film_gets_what_it_lacks_and_nobody_is_told(house: House) -> None:
    film = await old_film(house)
    text = await house.bring(b"just some text", "notes.txt")
    facts = len(await house.drive.facts())
    assert 1 == await process_again(house.drive.database, can_show=lambda kind: not kind.startswith("text/"))
    assert "PROCESSING" == (await house.file(film)).status
    assert "READY" == (await house.file(text.id)).status
    await house.work()
    assert "READY" == (await house.file(film)).status
    node = await house.node(film)
    assert node.playable_at
    assert b"from long ago" == house.drive.store.objects[node.thumbnail_key or ""]
    assert {"a0", "v360", "v480", "v720"} == (await house.renditions(film)).keys()
    assert facts == len(await house.drive.facts())
    await house.purge(film)
    assert [b"just some text"] == list(house.drive.store.objects.values())


async def test_what_is_whole_is_looked_at_again_only_when_all_are(house: House) -> None:
    file = await house.film()
    await house.work()
    before, jobs = {**house.drive.store.objects}, len(house.transcoder.jobs)
    assert 0 == await process_again(house.drive.database, can_show=lambda _: True)
    assert 1 == await process_again(house.drive.database, can_show=lambda _: True, everything=True)
    await house.work()
    assert ("READY", jobs) == ((await house.file(file.id)).status, len(house.transcoder.jobs))
    assert before == house.drive.store.objects


async def test_files_that_are_being_processed_are_left_alone(house: House) -> None:
    await house.film()
    assert 0 == await process_again(house.drive.database, can_show=lambda _: True, everything=True)
