"""Process existing files again, for example those uploaded before renditions or thumbnails existed.

Existing derived objects are kept, and workers make the missing ones as after an upload. Owners are not notified.
"""

from collections.abc import Callable

from metastore.features.files.content import integrity, processing
from metastore.features.media.objects import integrity as media
from metastore.kit.database.unit_of_work import Database

_PAGE = 100


async def restart_processing(
    database: Database, *, can_preview: Callable[[str], bool], include_complete: bool = False
) -> int:
    """Start processing ready media files and documents again; return their number.

    ``can_preview`` tells which content types can be processed. Files with a current probe result are skipped unless
    ``include_complete`` is set.
    """
    started, after = 0, ""
    while True:
        async with database.reading() as tx:
            page = await integrity.ready_files(tx, after, _PAGE)
            complete = set() if include_complete else await media.files_with_probe_result(tx, page)
        if not page:
            return started
        after = max(page)
        selected = [
            file_id for file_id, mime_type in page.items() if file_id not in complete and can_preview(mime_type)
        ]
        if selected:
            async with database.transaction() as tx:
                for file_id in selected:
                    started += await processing.restart_processing(tx, file_id)
