"""The tables of what is known about films, sounds, pictures and documents, and of what was made of them."""

from pydantic import JsonValue
from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Float, ForeignKey, Integer, LargeBinary, String
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.tables import Base

VIDEO, AUDIO = "video", "audio"
MAKING, DONE = "making", "done"


class Media(Base):
    """What a probe found in a file, and what was made of it beside renditions."""

    __tablename__ = "media"

    file_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """No foreign key: the file may be purged while it is probed; a consumer then deletes this."""
    container: Mapped[str] = mapped_column(String(50))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    video_codec: Mapped[str | None] = mapped_column(String(50))
    audio_codec: Mapped[str | None] = mapped_column(String(50))
    facts: Mapped[dict[str, JsonValue] | None] = mapped_column(JSON(none_as_null=True))
    """All that the probe found (``ports.media_tools.MediaFacts``)."""
    pictures_prefix: Mapped[str | None] = mapped_column(String(200))
    """Below it lie the pictures that were made of the file; written before they are, and never used again."""
    preview_key: Mapped[str | None] = mapped_column(String(200))
    """Where the larger picture is (1024 pixels); the small one is the file's own."""
    sprite_key: Mapped[str | None] = mapped_column(String(200))
    sprite: Mapped[dict[str, JsonValue] | None] = mapped_column(JSON(none_as_null=True))
    """How the sprite is laid out: columns, count, tileWidth, tileHeight, intervalMs."""
    waveform: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of sound alone: the peaks, one byte each."""


class Rendition(Base):
    """One stream of a file in HLS: its picture at one size, or one track of its sound.

    Its initialisation segment and its segments are objects below ``key_prefix``, which is never used again.
    """

    __tablename__ = "media_renditions"
    __table_args__ = (
        CheckConstraint("kind IN ('video', 'audio')", name="kind"),
        CheckConstraint("state IN ('making', 'done')", name="state"),
        Unique("file_id", "name"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    file_id: Mapped[str] = mapped_column(String(36), ForeignKey("media.file_id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(20))
    """``v1080``, ``v720``, … by the smaller side; ``a0``, ``a1``, … by track."""
    kind: Mapped[str] = mapped_column(String(5))
    state: Mapped[str] = mapped_column(String(6))
    copied: Mapped[bool] = mapped_column(Boolean)
    key_prefix: Mapped[str] = mapped_column(String(200))
    codecs: Mapped[str] = mapped_column(String(100))
    target_seconds: Mapped[int] = mapped_column(Integer)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    frame_rate: Mapped[float | None] = mapped_column(Float)
    language: Mapped[str | None] = mapped_column(String(35))
    title: Mapped[str | None] = mapped_column(String(200))
    is_default: Mapped[bool] = mapped_column(Boolean)
    bandwidth: Mapped[int | None] = mapped_column(BigInteger)
    """Bits per second of the fullest segment, and (next) on average; once it is done."""
    average_bandwidth: Mapped[int | None] = mapped_column(BigInteger)


class MediaSegment(Base):
    """A segment that is in the store: the row is written after the object. Times in microseconds, size in bytes."""

    __tablename__ = "media_segments"

    rendition_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("media_renditions.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    start_us: Mapped[int] = mapped_column(BigInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)


def thumbnail_key(pictures_prefix: str) -> str:
    """Where the small picture lies."""
    return f"{pictures_prefix}/thumbnail.webp"


def preview_key(pictures_prefix: str) -> str:
    """Where the larger picture lies."""
    return f"{pictures_prefix}/preview.webp"


def sprite_key(pictures_prefix: str) -> str:
    """Where a film at a glance lies."""
    return f"{pictures_prefix}/sprite.webp"


def picture_keys(pictures_prefix: str) -> list[str]:
    """All that may lie there."""
    return [thumbnail_key(pictures_prefix), preview_key(pictures_prefix), sprite_key(pictures_prefix)]


def init_key(key_prefix: str) -> str:
    """Where a rendition's initialisation segment lies."""
    return f"{key_prefix}/init.mp4"


def segment_key(key_prefix: str, number: int) -> str:
    """Where a rendition's segment lies."""
    return f"{key_prefix}/{number:06d}.m4s"
