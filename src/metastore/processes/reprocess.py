"""Process existing files again, for example those uploaded before renditions or thumbnails existed.

Existing derived objects are kept, and workers make the missing ones as after an upload. Owners are not notified.
"""

from collections.abc import Callable

from metastore.features.files import checking, processing
from metastore.features.media import checking as media
from metastore.kit.database import Database

_PAGE = 100


async def process_again(database: Database, *, can_show: Callable[[str], bool], everything: bool = False) -> int:
    """Start processing ready media files and documents again; return their number.

    ``can_show`` tells which media types can be processed. Files with a current probe result are skipped unless
    ``everything`` is set.
    """
    started, after = 0, ""
    while True:
        async with database.reading() as tx:
            page = await checking.ready_files(tx, after, _PAGE)
            complete = set() if everything else await media.fully_known(tx, page)
        if not page:
            return started
        after = max(page)
        selected = [file_id for file_id, mime_type in page.items() if file_id not in complete and can_show(mime_type)]
        if selected:
            async with database.transaction() as tx:
                for file_id in selected:
                    started += await processing.process_again(tx, file_id)
