"""Find uploading files that no upload will ever complete."""

from collections.abc import AsyncIterator

from metastore.features.files import checking
from metastore.features.files.service import FilesService
from metastore.features.uploads import reaping
from metastore.kit.database import Database
from metastore.processes.fsck.check import Finding, Severity

_PAGE = 200


class StrandedFilesCheck:
    """Files in UPLOADING without an open upload."""

    def __init__(self, database: Database, files: FilesService) -> None:
        self._database = database
        self._files = files

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of uploading files without an open upload."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await checking.arriving_files(tx, after, _PAGE)
                uploading = await reaping.files_under_way(tx, page)
            if not page:
                return
            after = page[-1]
            for file_id in page:
                if file_id not in uploading:
                    yield file_id

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            # Check the upload first: if both change meanwhile, the file is the one that continues to exist.
            if suspect in await reaping.files_under_way(tx, [suspect]) or not await checking.is_arriving(tx, suspect):
                return None
        found = "the file is marked as uploading, but no upload exists for it"
        return Finding("stranded-file", Severity.WARNING, suspect, found, "removes the entry, which has no bytes")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            await self._files.discard_file(tx, suspect)
        return "removed"
