"""``metastore admin reprocess``: process files again that lack thumbnails or streams."""

import sys

from metastore.bootstrap import prepare_database, preview_support
from metastore.config import Settings
from metastore.kit.database.unit_of_work import Database
from metastore.processes.reprocess import restart_processing


async def reprocess(settings: Settings, *, everything: bool) -> None:
    """Schedule the files for processing and print their number. Workers find them at their next poll.

    Raises:
        Problem: 503 if the database is unavailable.
    """
    await prepare_database(settings)
    database = Database(settings.effective_database_url)
    try:
        count = await restart_processing(database, can_preview=preview_support(), include_complete=everything)
    finally:
        await database.aclose()
    sys.stdout.write(f"{count} file{'' if count == 1 else 's'} will be processed again\n")
