"""Positions of published events and of consumers.

Queued events stay where they are: their consumers handle them before what is published from now on. Those that were
queued and not yet marked as published are marked, because consumers would otherwise get them twice.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_POSITIONED = sa.text("position IS NOT NULL")
_ALIVE = sa.text("dead_at IS NULL")
_WAITING = sa.text("dead_at IS NULL AND next_attempt_at IS NOT NULL")
_MARK_AS_PUBLISHED = """
UPDATE outbox_events
   SET status = 'published', published_at = CURRENT_TIMESTAMP
 WHERE status = 'pending' AND id IN (SELECT event_id FROM queued_events)
"""
_MARK_AS_HANDLED = """
INSERT INTO inbox_events (consumer, event_id, handled_at)
SELECT done.consumer, outbox_events.id, outbox_events.published_at
  FROM consumer_positions AS done
  JOIN outbox_events ON outbox_events.position <= done.position
 WHERE done.consumer <> ''
   AND outbox_events.position > (SELECT min(position) FROM consumer_positions WHERE consumer <> '')
    ON CONFLICT DO NOTHING
"""
_PUBLISH_AGAIN = """
UPDATE outbox_events
   SET status = 'pending', published_at = NULL, attempts = 0
 WHERE position > (SELECT min(position) FROM consumer_positions WHERE consumer <> '')
"""


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "consumer_positions",
        sa.Column("consumer", sa.String(length=50), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name="pk_consumer_positions"),
    )
    op.add_column("outbox_events", sa.Column("position", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_outbox_events_position",
        "outbox_events",
        ["position"],
        unique=True,
        sqlite_where=_POSITIONED,
        postgresql_where=_POSITIONED,
    )
    op.execute(_MARK_AS_PUBLISHED)
    op.drop_index("ix_queued_events_waiting", "queued_events")
    op.create_index(
        "ix_queued_events_aggregate",
        "queued_events",
        ["consumer", "aggregate", "id"],
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
    )


def downgrade() -> None:
    """Revert the revision. What a consumer has yet to handle is published again, and only that consumer handles it."""
    op.execute(_MARK_AS_HANDLED)
    op.execute(_PUBLISH_AGAIN)
    op.drop_index("ix_queued_events_aggregate", "queued_events")
    op.create_index(
        "ix_queued_events_waiting",
        "queued_events",
        ["consumer", "aggregate", "id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.drop_index("ix_outbox_events_position", "outbox_events")
    op.drop_column("outbox_events", "position")
    op.drop_table("consumer_positions")
