"""The SQL statements of the saga steps: probe results, renditions and segments."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, insert, select, update

from metastore.features.media.models import DONE, Media, MediaSegment, Rendition
from metastore.kit.database.unit_of_work import Transaction

_NO_SYNC = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Extent:
    """The number of a rendition's segments, and the time in microseconds at which the last one ends."""

    count: int = 0
    end_us: int = 0


async def save(tx: Transaction, media: Media) -> None:
    """Insert a file's row, or update the columns that are set."""
    await tx.session.merge(media)


async def find(tx: Transaction, file_id: str) -> Media | None:
    """Return a file's row."""
    return await tx.session.get(Media, file_id)


async def update_media(tx: Transaction, file_id: str, **values: object) -> bool:
    """Update columns of a file's row; ``False`` if it has none."""
    statement = update(Media).where(Media.file_id == file_id).values(values).returning(Media.file_id)
    return await tx.session.scalar(statement.execution_options(**_NO_SYNC)) is not None


async def delete_media(tx: Transaction, file_id: str) -> None:
    """Delete a file's row, with its renditions and segments."""
    await tx.session.execute(delete(Media).where(Media.file_id == file_id).execution_options(**_NO_SYNC))


async def renditions_of(tx: Transaction, file_id: str) -> list[Rendition]:
    """Return a file's renditions, oldest first."""
    statement = select(Rendition).where(Rendition.file_id == file_id).order_by(Rendition.id)
    return list(await tx.session.scalars(statement))


async def extents_of(tx: Transaction, rendition_ids: Collection[str]) -> dict[str, Extent]:
    """Return the extent of each rendition, by ID."""
    if not rendition_ids:
        return {}
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


async def segment_starts(tx: Transaction, rendition_id: str) -> list[int]:
    """Return the start of each of a rendition's segments, in microseconds."""
    statement = select(MediaSegment.start_us).where(MediaSegment.rendition_id == rendition_id)
    return list(await tx.session.scalars(statement.order_by(MediaSegment.number)))


async def segment_sizes(tx: Transaction, rendition_id: str) -> list[tuple[int, int]]:
    """Return the size in bytes and the duration in microseconds of each of a rendition's segments."""
    statement = select(MediaSegment.size, MediaSegment.duration_us).where(MediaSegment.rendition_id == rendition_id)
    return [(row[0], row[1]) for row in await tx.session.execute(statement.order_by(MediaSegment.number))]


async def playable_kinds(tx: Transaction, file_id: str) -> set[str]:
    """Return the kinds (video, audio) of which the file has a rendition with a segment, or a finished empty one."""
    has_segments = exists().where(MediaSegment.rendition_id == Rendition.id)
    statement = select(Rendition.kind).where(Rendition.file_id == file_id, has_segments | (Rendition.state == DONE))
    return set(await tx.session.scalars(statement.distinct()))


async def add(tx: Transaction, rendition: Rendition) -> None:
    """Insert a rendition."""
    tx.session.add(rendition)
    await tx.session.flush()


async def add_segments(tx: Transaction, segments: Sequence[dict[str, object]]) -> None:
    """Insert the rows of segments that are in the store."""
    if segments:
        await tx.session.execute(insert(MediaSegment), segments)


async def finish(tx: Transaction, rendition_id: str, *, bandwidth: int, average_bandwidth: int) -> None:
    """Mark a rendition as done and set its bandwidths, in bits per second."""
    values = {"state": DONE, "bandwidth": bandwidth, "average_bandwidth": average_bandwidth}
    statement = update(Rendition).where(Rendition.id == rendition_id).values(values)
    await tx.session.execute(statement.execution_options(**_NO_SYNC))


async def delete_renditions(tx: Transaction, rendition_ids: Collection[str]) -> None:
    """Delete the rows of renditions and of their segments."""
    statement = delete(Rendition).where(Rendition.id.in_(rendition_ids))
    await tx.session.execute(statement.execution_options(**_NO_SYNC))
