"""Every SQL statement on what is known about films and pictures."""

from sqlalchemy import delete, select

from metastore.features.media.models import Media
from metastore.kit.database import Transaction


async def save(tx: Transaction, media: Media) -> None:
    """Insert what a probe found, or replace what an earlier one did."""
    await tx.session.merge(media)


async def forget(tx: Transaction, file_id: str) -> None:
    """Delete what is known about a file."""
    await tx.session.execute(delete(Media).where(Media.file_id == file_id).execution_options(synchronize_session=False))


async def shows_something(tx: Transaction, file_id: str) -> bool:
    """Whether there is a picture in what was found; ``False`` also when nothing was noted."""
    return await tx.session.scalar(select(Media.width).where(Media.file_id == file_id)) is not None
