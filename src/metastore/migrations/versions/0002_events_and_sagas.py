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


def downgrade() -> None:
    """Take the step back."""
    op.drop_index("ix_nodes_object_key", table_name="nodes")
    op.drop_column("nodes", "damage")
    op.drop_index("ix_outbox_events_refused", table_name="outbox_events")
    with op.batch_alter_table("outbox_events") as outbox_events:
        outbox_events.drop_column("retry_at")
