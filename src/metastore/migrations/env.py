"""Alembic's environment: runs revisions, or compares them with the models, on the configured connection.

Only Alembic loads this module, after setting up ``context``. ``target_metadata`` is only needed to generate or check
revisions; the product does not set it.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

from metastore.migrations import is_declared_by_models


def _render_plain_type(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Render the underlying database type, so that revisions do not depend on the product's classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("target_metadata"),
    render_as_batch=True,
    render_item=_render_plain_type,
    compare_type=True,
    include_name=is_declared_by_models,
)
with context.begin_transaction():
    context.run_migrations()
