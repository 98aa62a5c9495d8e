"""What scaling out needs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply the step."""
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

    _create_search_index()
    _create_analytics()


def downgrade() -> None:
    """Take the step back."""
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
