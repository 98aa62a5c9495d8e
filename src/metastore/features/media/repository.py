"""Every SQL statement on what is known about films and pictures."""

from sqlalchemy import delete

from metastore.features.media.models import Media
from metastore.kit.database import Transaction


async def save(tx: Transaction, media: Media) -> None:
    """Insert what a probe found, or replace what an earlier one did."""
    await tx.session.merge(media)


async def forget(tx: Transaction, file_id: str) -> None:
    """Delete what is known about a file."""
    await tx.session.execute(delete(Media).where(Media.file_id == file_id).execution_options(synchronize_session=False))
