"""Every SQL statement on what is known about media and on their renditions, as those see it who make them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, insert, select, update

from metastore.features.media.models import DONE, Media, MediaSegment, Rendition
from metastore.kit.database import Transaction

_NO_SYNC = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a rendition has come: so many segments, and the time at which the last of them ends."""

    count: int = 0
    end_us: int = 0


async def save(tx: Transaction, media: Media) -> None:
    """Insert what is known about a file, or change what is given of it."""
    await tx.session.merge(media)


async def find(tx: Transaction, file_id: str) -> Media | None:
    """What is known about a file."""
    return await tx.session.get(Media, file_id)


async def change(tx: Transaction, file_id: str, **values: object) -> bool:
    """Change what is known about a file; ``False`` when nothing is."""
    statement = update(Media).where(Media.file_id == file_id).values(values).returning(Media.file_id)
    return await tx.session.scalar(statement.execution_options(**_NO_SYNC)) is not None


async def forget(tx: Transaction, file_id: str) -> None:
    """Delete what is known about a file, with its renditions."""
    await tx.session.execute(delete(Media).where(Media.file_id == file_id).execution_options(**_NO_SYNC))


async def renditions_of(tx: Transaction, file_id: str) -> list[Rendition]:
    """A file's renditions, in the order in which they were begun."""
    statement = select(Rendition).where(Rendition.file_id == file_id).order_by(Rendition.id)
    return list(await tx.session.scalars(statement))


async def extents_of(tx: Transaction, rendition_ids: Collection[str]) -> dict[str, Extent]:
    """How far these renditions have come, by id."""
    statement = (
        select(
            MediaSegment.rendition_id,
            func.max(MediaSegment.number) + 1,
            func.max(MediaSegment.start_us + MediaSegment.duration_us),
        )
        .where(MediaSegment.rendition_id.in_(rendition_ids))
        .group_by(MediaSegment.rendition_id)
    )
    found = {row[0]: Extent(row[1], row[2]) for row in await tx.session.execute(statement)}
    return {rendition_id: found.get(rendition_id, Extent()) for rendition_id in rendition_ids}


async def cuts_of(tx: Transaction, rendition_id: str) -> list[int]:
    """Where a rendition's segments begin, in microseconds."""
    statement = select(MediaSegment.start_us).where(MediaSegment.rendition_id == rendition_id)
    return list(await tx.session.scalars(statement.order_by(MediaSegment.number)))


async def weights_of(tx: Transaction, rendition_id: str) -> list[tuple[int, int]]:
    """The sizes of a rendition's segments in bytes, and their durations in microseconds."""
    statement = select(MediaSegment.size, MediaSegment.duration_us).where(MediaSegment.rendition_id == rendition_id)
    return [(row[0], row[1]) for row in await tx.session.execute(statement.order_by(MediaSegment.number))]


async def kinds_begun(tx: Transaction, file_id: str) -> set[str]:
    """Of which kinds the file has a rendition with something in it, or one that is whole without."""
    has_segments = exists().where(MediaSegment.rendition_id == Rendition.id)
    statement = select(Rendition.kind).where(Rendition.file_id == file_id, has_segments | (Rendition.state == DONE))
    return set(await tx.session.scalars(statement.distinct()))


async def add(tx: Transaction, rendition: Rendition) -> None:
    """Begin a rendition."""
    tx.session.add(rendition)
    await tx.session.flush()


async def add_segments(tx: Transaction, segments: Sequence[dict[str, object]]) -> None:
    """Note segments that are in the store."""
    if segments:
        await tx.session.execute(insert(MediaSegment), segments)


async def finish(tx: Transaction, rendition_id: str, *, bandwidth: int, average_bandwidth: int) -> None:
    """A rendition has all of its segments."""
    values = {"state": DONE, "bandwidth": bandwidth, "average_bandwidth": average_bandwidth}
    statement = update(Rendition).where(Rendition.id == rendition_id).values(values)
    await tx.session.execute(statement.execution_options(**_NO_SYNC))


async def drop(tx: Transaction, rendition_ids: Collection[str]) -> None:
    """Delete renditions with their segments."""
    statement = delete(Rendition).where(Rendition.id.in_(rendition_ids))
    await tx.session.execute(statement.execution_options(**_NO_SYNC))
