"""Rename columns, and the result of skipped compensations, to the terms of docs/glossary.md."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = (
    ("media", "facts", "probe_result"),
    ("media", "pictures_prefix", "thumbnails_prefix"),
    ("sagas", "away_since", "outage_since"),
    ("search_documents", "family", "category"),
)
"""Table, old name and new name."""

_VALUES = (("saga_steps", "result", "passed over", "skipped"),)
"""Table, column, old value and new value."""


def upgrade() -> None:
    """Apply the revision."""
    for table, old, new in _COLUMNS:
        _rename(table, old, new)
    for table, column, old, new in _VALUES:
        _replace(table, column, old, new)


def downgrade() -> None:
    """Revert the revision."""
    for table, column, old, new in _VALUES:
        _replace(table, column, new, old)
    for table, old, new in _COLUMNS:
        _rename(table, new, old)


def _rename(table: str, old: str, new: str) -> None:
    # Both databases rename in place and adapt indexes and constraints, so SQLite needs no batch mode.
    op.alter_column(table, old, new_column_name=new)


def _replace(table: str, column: str, old: str, new: str) -> None:
    target = sa.table(table, sa.column(column))
    op.execute(target.update().where(target.c[column] == old).values({column: new}))
