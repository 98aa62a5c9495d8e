"""Renditions, previews and fair scheduling of sagas."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("nodes", sa.Column("playable_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("media", sa.Column("facts", sa.JSON(), nullable=True))
    op.add_column("media", sa.Column("pictures_prefix", sa.String(length=200), nullable=True))
    op.add_column("media", sa.Column("preview_key", sa.String(length=200), nullable=True))
    op.add_column("media", sa.Column("sprite_key", sa.String(length=200), nullable=True))
    op.add_column("media", sa.Column("sprite", sa.JSON(), nullable=True))
    op.add_column("media", sa.Column("waveform", sa.LargeBinary(), nullable=True))
    _let_owners_take_turns()
    op.create_table(
        "media_renditions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("key_prefix", sa.String(length=200), nullable=False),
        sa.Column("codecs", sa.String(length=100), nullable=False),
        sa.Column("target_seconds", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("frame_rate", sa.Float(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("bandwidth", sa.BigInteger(), nullable=True),
        sa.Column("average_bandwidth", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('video', 'audio')", name=op.f("ck_media_renditions_kind")),
        sa.CheckConstraint("state IN ('making', 'done')", name=op.f("ck_media_renditions_state")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["media.file_id"], name=op.f("fk_media_renditions_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_renditions")),
        sa.UniqueConstraint("file_id", "name", name=op.f("uq_media_renditions_file_id_name")),
    )
    op.create_table(
        "media_segments",
        sa.Column("rendition_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rendition_id"],
            ["media_renditions.id"],
            name=op.f("fk_media_segments_rendition_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rendition_id", "number", name=op.f("pk_media_segments")),
    )


def downgrade() -> None:
    """Revert the revision."""
    op.drop_table("media_segments")
    op.drop_table("media_renditions")
    with op.batch_alter_table("media") as media:
        for column in ("waveform", "sprite", "sprite_key", "preview_key", "pictures_prefix", "facts"):
            media.drop_column(column)
    op.drop_column("nodes", "playable_at")
    for index in ("ix_sagas_held", "ix_sagas_served", "ix_sagas_served_long"):
        op.drop_index(index, table_name="sagas")
    for column in ("away_since", "served_long_at", "served_at", "owner"):
        op.drop_column("sagas", column)


def _let_owners_take_turns() -> None:
    op.add_column("sagas", sa.Column("owner", sa.String(length=36), server_default="", nullable=False))
    op.add_column("sagas", sa.Column("served_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sagas", sa.Column("served_long_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sagas", sa.Column("away_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE sagas SET owner = COALESCE((SELECT owner_id FROM nodes WHERE nodes.id = sagas.subject), '')"
        " WHERE kind = 'ingest' AND due_at IS NOT NULL"
    )
    held = sa.text("locked_until IS NOT NULL")
    op.create_index("ix_sagas_held", "sagas", ["owner"], sqlite_where=held, postgresql_where=held)
    op.create_index("ix_sagas_served", "sagas", ["owner", "served_at"])
    op.create_index("ix_sagas_served_long", "sagas", ["owner", "served_long_at"])
