"""Processing files once more: those that came before there was anything to be made of them, say.

What there is of a file is kept; what is missing is made by the workers, as after an upload. Nobody is told of it.
"""

from collections.abc import Callable

from metastore.features.files import checking, processing
from metastore.features.media import checking as media
from metastore.kit.database import Database

_PAGE = 100


async def process_again(database: Database, *, can_show: Callable[[str], bool], everything: bool = False) -> int:
    """Begin to process ready films, sounds, pictures and documents; how many those are.

    Without ``everything`` only those of which less is known than is kept of files that come now.
    """
    begun, after = 0, ""
    while True:
        async with database.reading() as tx:
            page = await checking.ready_files(tx, after, _PAGE)
            known = set() if everything else await media.fully_known(tx, page)
        if not page:
            return begun
        after = max(page)
        wanted = [file_id for file_id, mime_type in page.items() if file_id not in known and can_show(mime_type)]
        if wanted:
            async with database.transaction() as tx:
                for file_id in wanted:
                    begun += await processing.process_again(tx, file_id)
