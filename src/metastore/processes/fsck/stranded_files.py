"""Find uploading files that no upload will ever complete."""

from collections.abc import AsyncIterator

from metastore.features.files.content import integrity
from metastore.features.files.service import FilesService
from metastore.features.uploads.multipart import cleanup
from metastore.kit.database.unit_of_work import Database
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
                page = await integrity.uploading_files(tx, after, _PAGE)
                uploading = await cleanup.files_under_way(tx, page)
            if not page:
                return
            after = page[-1]
            for file_id in page:
                if file_id not in uploading:
                    yield file_id

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            # Query the upload first. If it completes in between, the file is no longer uploading.
            if suspect in await cleanup.files_under_way(tx, [suspect]) or not await integrity.is_uploading(tx, suspect):
                return None
        found = "the file is marked as uploading, but no upload exists for it"
        return Finding("stranded-file", Severity.WARNING, suspect, found, "removes the entry, which has no bytes")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            await self._files.discard_uploading_file(tx, suspect)
        return "removed"
