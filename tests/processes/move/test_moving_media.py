"""A move includes derived objects and media records."""

from pathlib import Path

from sqlalchemy import func, select

from metastore.features.media.models import Media, MediaSegment, Rendition
from metastore.kit.database.unit_of_work import Database
from metastore.processes.move.mover import Instance, ProgressListener, move
from tests.fixtures.media_pipeline import MediaPipeline, pipeline
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.postgres import Postgres

__all__ = ["pipeline"]


async def rows_of(database: Database) -> list[object]:
    """Return the media rows in a form that is the same for both kinds of database."""
    async with database.reading() as tx:
        media = (await tx.session.scalars(select(Media))).one()
        renditions = await tx.session.execute(select(Rendition.id, Rendition.title, Rendition.state, Rendition.copied))
        segments = await tx.session.scalar(select(func.count()).select_from(MediaSegment))
    return [media.probe_result, media.sprite, media.waveform, sorted(map(tuple, renditions)), segments]


async def test_renditions_thumbnails_and_probe_results_are_copied(
    pipeline: MediaPipeline, postgres: Postgres, tmp_path: Path
) -> None:
    drive = pipeline.drive
    file = await pipeline.film()
    await pipeline.work()
    url = (
        postgres.url(postgres.create_database())
        if drive.database.dialect == "sqlite"
        else f"sqlite+aiosqlite:///{tmp_path}/new.db"
    )
    target = Instance(Database(url), MemoryObjectStore())
    expected, advanced = [0], [0]
    listener = ProgressListener(
        expect=lambda size: expected.append(expected.pop() + size),
        advance=lambda size: advanced.append(advanced.pop() + size),
    )
    try:
        done = await move(Instance(drive.database, drive.store), target, url, concurrency=3, listener=listener)
        assert [] == done.missing
        assert drive.store.objects == target.store.objects  # type: ignore[attr-defined]  # a store of ours
        assert await rows_of(drive.database) == await rows_of(target.database)
        assert {"media", "media_renditions", "media_segments"} <= {copied.table for copied in done.tables}
        segments = sum(len(data) for key, data in drive.store.objects.items() if key.endswith(".m4s"))
        assert expected == [segments + file.size]
        assert advanced[0] >= expected[0]
    finally:
        await target.database.aclose()
