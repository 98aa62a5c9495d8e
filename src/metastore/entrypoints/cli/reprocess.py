"""``metastore admin reprocess``: process files again that lack thumbnails or streams."""

import sys

from metastore.bootstrap import prepare_database, showing
from metastore.config import Settings
from metastore.kit.database import Database
from metastore.processes.reprocess import process_again


async def reprocess(settings: Settings, *, everything: bool) -> None:
    """Schedule the files for processing and print their number.

    Raises:
        Problem: 503 if the database is unavailable.
    """
    await prepare_database(settings)
    database = Database(settings.effective_database_url)
    try:
        count = await process_again(database, can_show=showing(), everything=everything)
    finally:
        await database.aclose()
    sys.stdout.write(f"{count} file{'' if count == 1 else 's'} will be processed again\n")
