"""The tables of unfinished and recently completed uploads, and of reserved object keys."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, UtcDateTime

OPEN = "OPEN"
COMPLETING = "COMPLETING"
COMPLETED = "COMPLETED"


class Upload(Base):
    """One upload. ``size`` bytes are reserved until it is completed or aborted."""

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size"),
        Index("ix_uploads_owner", "owner_id", "state", "id"),
        Index("ix_uploads_expiry", "state", "expires_at"),
        Index("ix_uploads_object_key", "object_key", unique=True),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id"))
    file_id: Mapped[str] = mapped_column(String(36), index=True)
    """Not a foreign key: the file may be purged before it is complete; a consumer then aborts the upload."""
    object_key: Mapped[str] = mapped_column(String(200))
    store_upload_id: Mapped[str | None] = mapped_column(String(1024))
    """The store's id of the multipart upload. Null until the store has created it, and for whole uploads."""
    size: Mapped[int] = mapped_column(BigInteger)
    part_size: Mapped[int] = mapped_column(BigInteger)
    mime_type: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(12))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the latest completion began."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ObjectKeyBlock(Base):
    """A block of object keys that a process may use; see ``whole.object_keys``."""

    __tablename__ = "object_key_blocks"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the objects under its keys that no file refers to may be deleted."""
    closed: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether they are being deleted: no file may be created from one of them any more."""
