"""The table of the search index."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, UtcDateTime


class SearchDocument(Base):
    """A file or folder that can be found.

    There are no foreign keys: the table is updated from events, after the change. The database index holds an owner's
    documents, latest change first, as one range, and contains the text that is searched.
    """

    __tablename__ = "search_documents"
    __table_args__ = (Index("ix_search_documents_latest", "owner_id", "updated_at", "node_id", "text"),)

    node_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(6))
    category: Mapped[str] = mapped_column(String(10))
    """See ``categories``; empty for a folder."""
    mime_type: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(String(1000).with_variant(String(1000, collation="C"), "postgresql"))
    """The normalized name; see ``text_normalization``."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
