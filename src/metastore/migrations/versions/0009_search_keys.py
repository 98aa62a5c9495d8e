"""Index the keys of search documents, and number them in the order of their changes.

The table is created anew, in the order in which it is read, a few thousand rows at a time. The rules of positions and
keys are a copy of those in the first version of the index, because a revision must never change.
"""

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 2000
_OLD = "old_search_documents"
_KEPT = "node_id, owner_id, kind, category, mime_type, text, updated_at"
_KEY_INDEX = {
    "sqlite": (
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


def upgrade() -> None:
    """Create the table anew with positions and keys, and index the keys."""
    _rename()
    _create_table(
        sa.Column("position", sa.BigInteger(), nullable=False), sa.Column("index_keys", sa.Text(), nullable=False)
    )
    insert = sa.text(
        f"INSERT INTO search_documents ({_KEPT}, position, index_keys)"  # noqa: S608  of constants
        " VALUES (:node_id, :owner_id, :kind, :category, :mime_type, :text, :updated_at, :position, :index_keys)"
    ).bindparams(sa.bindparam("updated_at", type_=_moment_type()))
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("PRAGMA cache_size = -131072")  # in KiB; most of what is written would be written several times
        op.execute(_KEY_INDEX["sqlite"][0])
    for rows in _batches():
        op.get_bind().execute(insert, rows)
        if sqlite:
            _index_keys(rows)
    op.drop_table(_OLD)
    op.create_index("ix_search_documents_position", "search_documents", ["owner_id", "position", "node_id", "text"])
    if not sqlite:  # an index is filled at once much faster, and with memory to sort in
        op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for statement in _KEY_INDEX["sqlite"][1:] if sqlite else _KEY_INDEX["postgresql"]:
        op.execute(statement)


def downgrade() -> None:
    """Create the table without positions and keys."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("search_keys")
    else:
        op.drop_index("ix_search_documents_keys", "search_documents")
    op.drop_index("ix_search_documents_position", "search_documents")
    _rename()
    _create_table()
    op.execute(f"INSERT INTO search_documents ({_KEPT}) SELECT {_KEPT} FROM {_OLD}")  # noqa: S608  of constants
    op.drop_table(_OLD)
    op.create_index("ix_search_documents_latest", "search_documents", ["owner_id", "updated_at", "node_id", "text"])


def _rename() -> None:
    """Rename the table. Its index is needed to read it, under whatever name."""
    if op.get_bind().dialect.name == "sqlite":
        # The triggers of the table would otherwise be renamed with it.
        for name in ("inserted", "deleted", "updated"):
            op.execute(f"DROP TRIGGER IF EXISTS search_documents_{name}")
    op.rename_table("search_documents", _OLD)
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE {_OLD} RENAME CONSTRAINT pk_search_documents TO pk_{_OLD}")


def _create_table(*columns: sa.Column[Any]) -> None:
    op.create_table(
        "search_documents",
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("category", sa.String(length=10), nullable=False),
        sa.Column("mime_type", sa.String(length=255), nullable=False),
        sa.Column(
            "text",
            sa.String(length=1000).with_variant(sa.String(length=1000, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_search_documents")),
    )


def _index_keys(rows: list[dict[str, Any]]) -> None:
    """Insert keys, of the latest rows first. Triggers would have FTS5 write those of each row by themselves."""
    insert = sa.text("INSERT INTO search_keys (rowid, keys) VALUES (:place, :keys)")
    keys = [{"place": -row["position"], "keys": row["index_keys"]} for row in rows]
    op.get_bind().execute(insert, keys)


def _batches() -> Iterator[list[dict[str, Any]]]:
    """Yield the rows with positions and keys: of each owner the latest first, as their index is read backwards."""
    old = sa.table(
        _OLD,
        *(sa.column(name, sa.String()) for name in ("node_id", "owner_id", "kind", "category", "mime_type", "text")),
        sa.column("updated_at", _moment_type()),
    )
    order = old.c.owner_id, old.c.updated_at, old.c.node_id
    page = sa.select(old).order_by(*(column.desc() for column in order)).limit(_BATCH)
    previous: dict[str, Any] = {}
    connection = op.get_bind()
    while True:
        statement = page
        if previous:
            after = (sa.literal(previous[column.name], column.type) for column in order)
            statement = page.where(sa.tuple_(*order) < sa.tuple_(*after))
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        if not rows:
            return
        for row in rows:
            row["position"] = _position(row, previous)
            row["index_keys"] = _keys(row)
            previous = row
        # Nobody's list of keys has to be continued backwards on SQLite.
        yield sorted(rows, key=lambda row: -row["position"])


def _moment_type() -> sa.types.TypeEngine[Any]:
    """Return the type of moments; on SQLite the text that is stored, however exact it is."""
    return sa.String() if op.get_bind().dialect.name == "sqlite" else sa.DateTime(timezone=True)


def _position(row: dict[str, Any], previous: dict[str, Any]) -> int:
    """Return the last position of the microsecond of the row's change that comes before that of the previous row."""
    moment = row["updated_at"]
    moment = datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment
    last: int = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 256 + 255
    if previous and previous["owner_id"] == row["owner_id"]:
        return min(last, int(previous["position"]) - 1)
    return last


def _keys(row: dict[str, Any]) -> str:
    text, owner_id = row["text"], row["owner_id"]
    found = {text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)}
    found.add(f"kind {row['kind']}")
    if row["category"]:
        found.add(f"category {row['category']}")
    if row["mime_type"]:
        main_type, slash, _ = row["mime_type"].partition("/")
        found |= {f"type {row['mime_type']}", f"type {main_type + slash}"}
    return " ".join({_key(owner_id, each) for each in found})


@lru_cache(maxsize=65536)
def _key(owner_id: str, part: str) -> str:
    return f"{zlib.crc32((owner_id + part).encode()) & 0xFFFFFFF:07x}"
