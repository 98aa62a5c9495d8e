"""Alembic's hook: run revisions, or compare them with the models, on the connection that was handed in.

Loaded by Alembic alone, which sets ``context`` up before. ``target_metadata`` is only needed to generate or check a
revision; the running product has no use for it.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator


def _render_plain_type(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Write the database's own type into a revision, so that it needs none of our classes of today."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("target_metadata"),
    render_as_batch=True,
    render_item=_render_plain_type,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
