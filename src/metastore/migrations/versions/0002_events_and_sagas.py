"""Sagas, search, analytics and outbox retries."""

import re
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("outbox_events", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    refused = sa.text("status = 'pending' AND retry_at IS NOT NULL")
    op.create_index(
        "ix_outbox_events_refused",
        "outbox_events",
        ["aggregate", "id"],
        sqlite_where=refused,
        postgresql_where=refused,
    )

    op.add_column("nodes", sa.Column("damage", sa.String(length=200), nullable=True))
    stored = sa.text("object_key IS NOT NULL")
    op.create_index("ix_nodes_object_key", "nodes", ["object_key"], sqlite_where=stored, postgresql_where=stored)

    op.add_column("nodes", sa.Column("thumbnail_key", sa.String(length=200), nullable=True))
    _create_sagas()
    _create_search_index()
    _index_existing_nodes()
    _create_analytics()


def downgrade() -> None:
    """Revert the revision."""
    op.drop_table("media")
    op.drop_table("saga_steps")
    op.drop_table("sagas")
    op.drop_column("nodes", "thumbnail_key")
    op.drop_table("analytics_visitors")
    op.drop_table("analytics_days")
    op.drop_table("search_documents")
    op.drop_index("ix_nodes_object_key", table_name="nodes")
    op.drop_column("nodes", "damage")
    op.drop_index("ix_outbox_events_refused", table_name="outbox_events")
    with op.batch_alter_table("outbox_events") as outbox_events:
        outbox_events.drop_column("retry_at")


def _create_search_index() -> None:
    op.create_table(
        "search_documents",
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("family", sa.String(length=10), nullable=False),
        sa.Column("mime_type", sa.String(length=255), nullable=False),
        sa.Column(
            "text",
            sa.String(length=1000).with_variant(sa.String(length=1000, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_search_documents")),
    )
    op.create_index("ix_search_documents_latest", "search_documents", ["owner_id", "updated_at", "node_id", "text"])


_BATCH = 500
_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_DECOMPOSED = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t"})
_EXTENSIONS = {
    "video": "mp4 mkv mov webm avi m4v",
    "image": "jpg jpeg png gif webp avif heic svg bmp tif tiff",
    "audio": "mp3 wav flac ogg m4a aac opus",
    "pdf": "pdf",
    "archive": "zip gz tar 7z rar zst xz bz2",
    "table": "csv xls xlsx ods tsv",
    "code": "js ts tsx py rs go c h cpp java html css json xml yml yaml sh sql",
    "text": "txt md rtf doc docx odt log ppt pptx odp",
}


def _index_existing_nodes() -> None:
    """Index existing files and folders, because the index is otherwise updated by events only.

    The rules are a copy of those in the first version of the index, because a revision must never change.
    """
    connection = op.get_bind()
    page = sa.text(
        "SELECT id, owner_id, kind, name, mime_type, updated_at FROM nodes"
        " WHERE id > :after AND trashed_at IS NULL AND status <> 'UPLOADING' ORDER BY id LIMIT :count"
    )
    insert = sa.text(
        "INSERT INTO search_documents (node_id, owner_id, kind, family, mime_type, text, updated_at)"
        " VALUES (:id, :owner_id, :kind, :family, :mime_type, :text, :updated_at)"
    )
    after = ""
    while rows := connection.execute(page, {"after": after, "count": _BATCH}).mappings().all():
        connection.execute(insert, [{**row, "family": _family(row), "text": _fold(row["name"])} for row in rows])
        after = rows[-1]["id"]


def _family(row: sa.RowMapping) -> str:
    if row["kind"] == "folder":
        return ""
    extension = row["name"].rpartition(".")[2].lower()
    for family, extensions in _EXTENSIONS.items():
        if extension in extensions.split():
            return family
    main = "pdf" if row["mime_type"] == "application/pdf" else row["mime_type"].partition("/")[0]
    return main if main in ("video", "image", "audio", "text", "pdf") else "other"


def _fold(name: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", name)).casefold()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).translate(_NOT_DECOMPOSED)[:1000]


def _create_analytics() -> None:
    op.create_table(
        "analytics_days",
        sa.Column("day", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger() if name.endswith("_bytes") else sa.Integer(), nullable=False)
            for name in (
                "uploads",
                "uploaded_bytes",
                "downloads",
                "downloaded_bytes",
                "deletions",
                "deleted_bytes",
                "sign_ins",
                "refused_sign_ins",
                "new_users",
                "active_users",
            )
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_analytics_days")),
    )
    op.create_table(
        "analytics_visitors",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("day", "user_id", name=op.f("pk_analytics_visitors")),
    )


def _create_sagas() -> None:
    due = sa.text("due_at IS NOT NULL")
    op.create_table(
        "sagas",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=50), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_by", sa.String(length=100), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failed_step", sa.String(length=50), nullable=True),
        sa.Column("retryable", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'compensating', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_sagas_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sagas")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_sagas_kind_subject")),
    )
    op.create_index("ix_sagas_due_at", "sagas", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_sagas_ended", "sagas", ["kept", "state", "updated_at"])
    op.create_table(
        "saga_steps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("saga_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=50), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["saga_id"], ["sagas.id"], name=op.f("fk_saga_steps_saga_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saga_steps")),
    )
    op.create_index("ix_saga_steps_saga_id", "saga_steps", ["saga_id", "id"])
    op.create_table(
        "media",
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("container", sa.String(length=50), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("video_codec", sa.String(length=50), nullable=True),
        sa.Column("audio_codec", sa.String(length=50), nullable=True),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_media")),
    )
    # Open uploads continue as sagas.
    build = "json_build_object" if op.get_bind().dialect.name == "postgresql" else "json_object"
    op.execute(
        sa.text(
            "INSERT INTO sagas (id, kind, subject, state, step, attempts, token, due_at, outcome, retryable, progress,"
            " kept, data, created_at, updated_at)"
            " SELECT uploads.id, 'ingest', uploads.file_id, 'running', 'store', 0, 0, uploads.expires_at, 'failed',"
            " false, 0, false, json_object('uploadId', uploads.id, 'ownerId', uploads.owner_id, 'name', nodes.name),"
            " uploads.created_at, uploads.created_at FROM uploads LEFT JOIN nodes ON nodes.id = uploads.file_id"
            " WHERE uploads.state IN ('OPEN', 'COMPLETING')".replace("json_object", build)
        )
    )
