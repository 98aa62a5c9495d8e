"""The tables of accounts and sessions."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.features.auth.identity.roles import Role, Status
from metastore.kit.database.tables import Base, UtcDateTime


class User(Base):
    """An account.

    ``username`` and ``email`` are stored as entered. The ``_key`` columns hold the unique forms in which they are
    compared. Storage is in bytes: ``storage_used`` by files, ``storage_reserved`` by unfinished uploads.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('USER', 'ADMIN')", name="role_known"),
        CheckConstraint("status IN ('ACTIVE', 'SUSPENDED')", name="status_known"),
        CheckConstraint("storage_used >= 0", name="storage_used_not_negative"),
        CheckConstraint("storage_reserved >= 0", name="storage_reserved_not_negative"),
        CheckConstraint("storage_quota >= 0", name="storage_quota_not_negative"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(255), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20), default=Role.USER)
    status: Mapped[str] = mapped_column(String(20), default=Status.ACTIVE)
    plan: Mapped[str] = mapped_column(String(50))
    storage_used: Mapped[int] = mapped_column(BigInteger, default=0)
    storage_reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    storage_quota: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Session(Base):
    """A session of a user on one device, from sign-in to sign-out.

    ``generation`` counts refreshes; only the refresh token of the current generation is valid.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_user_id_id", "user_id", "id"),
        Index("ix_sessions_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id", ondelete="CASCADE"))
    generation: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refreshed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoke_reason: Mapped[str | None] = mapped_column(String(50))
    user_agent: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str | None] = mapped_column(String(64))
