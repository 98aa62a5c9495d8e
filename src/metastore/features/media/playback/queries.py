"""The SQL statements behind streams and previews: a few per request, each of them a range scan of one index."""

from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import ColumnElement, exists, select

from metastore.features.media.models import Media, MediaSegment, Rendition
from metastore.kit.database.unit_of_work import Transaction


class MediaRow(NamedTuple):
    """The columns of ``Media`` that players and viewers need."""

    width: int | None
    height: int | None
    duration_ms: int | None
    preview_key: str | None
    sprite_key: str | None
    sprite: dict[str, JsonValue] | None


class RenditionRow(NamedTuple):
    """A rendition; ``has_segments`` once its first segment is stored."""

    id: str
    name: str
    kind: str
    state: str
    key_prefix: str
    codecs: str
    target_seconds: int
    width: int | None
    height: int | None
    frame_rate: float | None
    language: str | None
    title: str | None
    is_default: bool
    bandwidth: int | None
    average_bandwidth: int | None
    has_segments: bool


_MEDIA = tuple(getattr(Media, name) for name in MediaRow._fields)
_HAS_SEGMENTS: ColumnElement[bool] = exists().where(MediaSegment.rendition_id == Rendition.id, MediaSegment.number == 0)
_RENDITION = (*(getattr(Rendition, name) for name in RenditionRow._fields[:-1]), _HAS_SEGMENTS)


async def media_of(tx: Transaction, file_id: str) -> MediaRow | None:
    """Return a file's media row; ``None`` before it was probed."""
    row = (await tx.session.execute(select(*_MEDIA).where(Media.file_id == file_id))).first()
    return MediaRow._make(row) if row else None


async def waveform_of(tx: Transaction, file_id: str) -> bytes | None:
    """Return the waveform of an audio file."""
    return await tx.session.scalar(select(Media.waveform).where(Media.file_id == file_id))


async def renditions_of(tx: Transaction, file_id: str) -> list[RenditionRow]:
    """Return a file's renditions: video from large to small, then audio by track number."""
    statement = select(*_RENDITION).where(Rendition.file_id == file_id)
    rows = [RenditionRow._make(row) for row in await tx.session.execute(statement)]
    return sorted(rows, key=lambda row: (row.kind == "audio", -(row.height or 0), len(row.name), row.name))


async def rendition_named(tx: Transaction, file_id: str, name: str) -> RenditionRow | None:
    """Return a file's rendition by name."""
    statement = select(*_RENDITION).where(Rendition.file_id == file_id, Rendition.name == name)
    row = (await tx.session.execute(statement)).first()
    return RenditionRow._make(row) if row else None


async def segments_of(tx: Transaction, rendition_id: str) -> list[tuple[int, int]]:
    """Return the number and the duration in microseconds of each of a rendition's segments, in order."""
    statement = select(MediaSegment.number, MediaSegment.duration_us).where(MediaSegment.rendition_id == rendition_id)
    return [(row[0], row[1]) for row in await tx.session.execute(statement.order_by(MediaSegment.number))]
