"""The table of the search index."""

from datetime import datetime

from sqlalchemy import DDL, BigInteger, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, UtcDateTime, table_of


class SearchDocument(Base):
    """A file or folder that can be found.

    There are no foreign keys: the table is updated from events, after the change. The database index holds an owner's
    documents, latest change first, as one range, and contains the text that is searched. Beside it, each database has
    an index of the keys, which the models cannot express; see ``KEY_INDEX``.
    """

    __tablename__ = "search_documents"
    __table_args__ = (Index("ix_search_documents_position", "owner_id", "position", "node_id", "text"),)

    node_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(6))
    category: Mapped[str] = mapped_column(String(10))
    """See ``categories``; empty for a folder."""
    mime_type: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(String(1000).with_variant(String(1000, collation="C"), "postgresql"))
    """The normalized name; see ``text_normalization``."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int] = mapped_column(BigInteger)
    """The document's place among those of its owner by time of change, unique among them; see ``positions``."""
    index_keys: Mapped[str] = mapped_column(Text)
    """The document's keys; see ``index_keys``."""


KEY_INDEX = {
    "sqlite": (
        # Only lists of rows by key: no copy of the keys, no lengths, no places of keys. The negative position makes
        # the latest document the first, and lists are read quicker forwards.
        "CREATE VIRTUAL TABLE search_keys USING fts5(keys, content='', columnsize=0, detail=none, tokenize='ascii')",
        (
            "CREATE TRIGGER search_documents_inserted AFTER INSERT ON search_documents BEGIN"
            " INSERT INTO search_keys (rowid, keys) VALUES (-new.position, new.index_keys); END"
        ),
        (
            "CREATE TRIGGER search_documents_deleted AFTER DELETE ON search_documents BEGIN"
            " INSERT INTO search_keys (search_keys, rowid, keys) VALUES ('delete', -old.position, old.index_keys); END"
        ),
        (
            "CREATE TRIGGER search_documents_updated AFTER UPDATE ON search_documents"
            " WHEN old.position <> new.position OR old.index_keys <> new.index_keys BEGIN"
            " INSERT INTO search_keys (search_keys, rowid, keys) VALUES ('delete', -old.position, old.index_keys);"
            " INSERT INTO search_keys (rowid, keys) VALUES (-new.position, new.index_keys); END"
        ),
    ),
    "postgresql": (
        "CREATE INDEX ix_search_documents_keys ON search_documents USING gin (string_to_array(index_keys, ' '))",
    ),
}
"""By dialect, the statements that create the index of the keys. Triggers maintain it on SQLite."""

for _dialect, _statements in KEY_INDEX.items():
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types here
        event.listen(table_of(SearchDocument), "after_create", _ddl.execute_if(dialect=_dialect))
