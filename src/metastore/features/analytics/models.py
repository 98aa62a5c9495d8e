"""The tables of analytics: one row of counters per day, and the users active on it."""

from datetime import date

from sqlalchemy import BigInteger, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base


class AnalyticsDay(Base):
    """The counters of a day in UTC."""

    __tablename__ = "analytics_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    uploads: Mapped[int] = mapped_column(default=0)
    uploaded_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    downloads: Mapped[int] = mapped_column(default=0)
    downloaded_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    deletions: Mapped[int] = mapped_column(default=0)
    deleted_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sign_ins: Mapped[int] = mapped_column(default=0)
    refused_sign_ins: Mapped[int] = mapped_column(default=0)
    new_users: Mapped[int] = mapped_column(default=0)
    active_users: Mapped[int] = mapped_column(default=0)


class AnalyticsVisitor(Base):
    """A user active on a day, stored so that each is counted once."""

    __tablename__ = "analytics_visitors"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
