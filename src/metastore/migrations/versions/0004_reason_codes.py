"""Store why a saga failed as a code."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the column; sagas that failed before have no code."""
    op.add_column("sagas", sa.Column("error_code", sa.String(length=50), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("sagas", "error_code")
