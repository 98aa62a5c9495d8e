"""Let owners grant others rights on their nodes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_IN_FORCE = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_grants_node_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_grants_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    for name, columns, unique in (
        ("uq_grants_subject", ["node_id", "subject_id"], True),
        ("ix_grants_subject_id", ["subject_id", "id"], False),
        ("ix_grants_owner_id", ["owner_id", "id"], False),
    ):
        op.create_index(name, "grants", columns, unique=unique, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("grants")
