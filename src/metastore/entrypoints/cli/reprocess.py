"""``metastore admin reprocess``: small pictures and streams of files that came before there were any."""

import sys

from metastore.bootstrap import prepare_database, showing
from metastore.config import Settings
from metastore.kit.database import Database
from metastore.processes.reprocess import process_again


async def reprocess(settings: Settings, *, everything: bool) -> None:
    """Hand them to the workers; says how many.

    Raises:
        Problem: 503, the database does not answer.
    """
    await prepare_database(settings)
    database = Database(settings.effective_database_url)
    try:
        begun = await process_again(database, can_show=showing(), everything=everything)
    finally:
        await database.aclose()
    sys.stdout.write(f"{begun} file{'' if begun == 1 else 's'} will be processed again\n")
