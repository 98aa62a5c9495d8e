"""The table of what is known about films and pictures."""

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.tables import Base


class Media(Base):
    """What a probe found in a file."""

    __tablename__ = "media"

    file_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """No foreign key: the file may be purged while it is probed; a consumer then deletes this."""
    container: Mapped[str] = mapped_column(String(50))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    video_codec: Mapped[str | None] = mapped_column(String(50))
    audio_codec: Mapped[str | None] = mapped_column(String(50))
