"""The tables of share links and of what visitors did."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, UtcDateTime


class ShareLink(Base):
    """A share link. What it permits is in the grant of the same ID."""

    __tablename__ = "share_links"
    __table_args__ = (
        CheckConstraint("permission IN ('VIEW', 'DOWNLOAD')", name="permission"),
        CheckConstraint("max_access_count > 0", name="max_access_count"),
        Index("uq_share_links_token_hash", "token_hash", unique=True),
        Index("ix_share_links_owner_id", "owner_id", "id"),
        Index("ix_share_links_node_id", "node_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    node_id: Mapped[str] = mapped_column(String(36), ForeignKey("nodes.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(6))
    """The kind of the node, which never changes."""
    permission: Mapped[str] = mapped_column(String(8))
    label: Mapped[str | None] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    token_hash: Mapped[str] = mapped_column(String(64))
    """The SHA-256 of the token, in hexadecimal. The token itself is not stored."""
    generation: Mapped[int] = mapped_column(default=1)
    """Incremented when the token is replaced; the token is derived from it."""
    version: Mapped[int] = mapped_column(default=1)
    """Incremented by every change that visitors must not survive."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    max_access_count: Mapped[int | None]
    access_count: Mapped[int] = mapped_column(default=0)
    last_accessed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the owner was last notified of an access."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ShareAccess(Base):
    """Something that a visitor did with a link."""

    __tablename__ = "share_accesses"
    __table_args__ = (Index("ix_share_accesses_link_id", "link_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    link_id: Mapped[str] = mapped_column(String(36), ForeignKey("share_links.id", ondelete="CASCADE"))
    visitor_id: Mapped[str] = mapped_column(String(36))
    address: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(8))
    counted: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
