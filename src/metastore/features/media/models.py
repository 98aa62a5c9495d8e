"""The tables of probe results, thumbnails and renditions."""

from pydantic import JsonValue
from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Float, ForeignKey, Integer, LargeBinary, String
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base

VIDEO, AUDIO = "video", "audio"
MAKING, DONE = "making", "done"


class Media(Base):
    """The probe result of a file, its preview image, sprite and waveform."""

    __tablename__ = "media"

    file_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """No foreign key: the file may be purged while it is probed. A consumer then deletes the row."""
    container: Mapped[str] = mapped_column(String(50))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    video_codec: Mapped[str | None] = mapped_column(String(50))
    audio_codec: Mapped[str | None] = mapped_column(String(50))
    probe_result: Mapped[dict[str, JsonValue] | None] = mapped_column(JSON(none_as_null=True))
    """The whole probe result (``ports.media_tools.ProbeResult``)."""
    thumbnails_prefix: Mapped[str | None] = mapped_column(String(200))
    """The prefix of the latest attempt's image keys. Saved before the images are stored, and never reused."""
    preview_key: Mapped[str | None] = mapped_column(String(200))
    """The preview image (1024 pixels). The thumbnail's key is a column of the file itself."""
    sprite_key: Mapped[str | None] = mapped_column(String(200))
    sprite: Mapped[dict[str, JsonValue] | None] = mapped_column(JSON(none_as_null=True))
    """The layout of the sprite: columns, count, tileWidth, tileHeight, intervalMs."""
    waveform: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Audio files only: the peaks, one byte each."""


class Rendition(Base):
    """One HLS rendition of a file: its video in one size, or one audio track.

    Its init segment and segments are objects below ``key_prefix``, which is never reused.
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
    """``v1080``, ``v720``, … by the shorter side; ``a0``, ``a1``, … by track."""
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
    """Peak bits per second, set when the rendition is done."""
    average_bandwidth: Mapped[int | None] = mapped_column(BigInteger)
    """Average bits per second, set when the rendition is done."""


class MediaSegment(Base):
    """A segment in the object store; the row is written after the object. Times in microseconds, size in bytes."""

    __tablename__ = "media_segments"

    rendition_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("media_renditions.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    start_us: Mapped[int] = mapped_column(BigInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
