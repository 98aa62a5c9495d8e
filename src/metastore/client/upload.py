"""Upload a file in parts."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from metastore.client.api import Api
from metastore.client.checksums import is_digest_of, matches
from metastore.client.errors import RefusedError, TransferError, refusal_of
from metastore.client.parallel import in_parallel
from metastore.client.progress import Progress
from metastore.client.responses import FileResponse, OpenUpload, RemoteFile
from metastore.client.retries import raise_if_transient
from metastore.client.sources import Source
from metastore.client.upload_records import UploadRecord, UploadRecords

_UPLOADS = "/api/v1/files/chunked-upload"
_CHUNK = 512 * 1024
_URL_RENEWALS = 3
_COMPLETIONS = 3
_GONE = frozenset({404, 409, 410})


@dataclass(frozen=True, slots=True)
class UploadContext:
    """What all uploads of a run share.

    Attributes:
        api: The API.
        parts: A client for the object store.
        slots: Limits the number of parallel requests.
        parallel: That number.
        unfinished: The ids of the user's unfinished uploads by folder, name and size.
    """

    api: Api
    parts: httpx.AsyncClient
    slots: asyncio.Semaphore
    parallel: int
    unfinished: dict[tuple[str, str, int], str]


class Upload:
    """The upload of one file."""

    def __init__(self, context: UploadContext, source: Source, progress: Progress) -> None:
        self._context = context
        self._api = context.api
        self._source = source
        self._progress = progress
        self._records = UploadRecords(context.api.server, context.api.username, source.path, source.folder)
        self._urls_change = asyncio.Lock()

    async def run(self) -> tuple[RemoteFile, bool]:
        """Upload the file unless an earlier run has; return the remote file and whether it was uploaded.

        Raises:
            TransferError: the upload failed. It can be resumed, unless the file has changed or the checksum is wrong.
            OSError: the file cannot be read.
        """
        async with self._records.lock():
            self._check_name()
            self._handle = os.open(self._source.path, os.O_RDONLY)
            try:
                return await self._upload()
            finally:
                os.close(self._handle)

    async def _upload(self) -> tuple[RemoteFile, bool]:
        self._size, self._mtime = self._stat()
        record = await self._records.load()
        if record and (record.size, record.mtime) != (self._size, self._mtime):
            await self._abort(record)
            record = None
        found = await self._resumed(record) if record else None
        if isinstance(found, RemoteFile):
            return found, not (record and record.done)
        self._open = found or await self._adopt() or await self._initiate()
        self._etags = {part.part_number: part.etag for part in self._open.parts}
        await self._save_record()
        return await self._verified(await self._send_and_complete()), True

    # --- starting or resuming

    async def _resumed(self, record: UploadRecord) -> OpenUpload | RemoteFile | None:
        """Return what an earlier run left: an unfinished upload, or the file if it still exists."""
        if not record.done:
            opened = await self._opened(record.upload_id)
            if opened:
                return opened
        file = await self._file(record.file_id)
        if file is None or record.done:
            return file
        # Completed, but the response was lost.
        if file.status not in {"PROCESSING", "READY"} or not await self._is_same(file):
            return None
        await self._save_record(file)
        return file

    async def _adopt(self) -> OpenUpload | None:
        """Return an unfinished upload of the same name and size whose record was lost.

        All its parts must match the file, since it may have been started with other content.
        """
        upload_id = self._context.unfinished.pop((self._source.folder, self._source.name, self._size), None)
        opened = await self._opened(upload_id) if upload_id else None
        if opened is None or not opened.parts:
            return None
        for part in opened.parts:
            place = self._place(opened, part.part_number)
            if not await asyncio.to_thread(is_digest_of, part.etag, self._handle, *place):
                return None
        return opened

    async def _opened(self, upload_id: str) -> OpenUpload | None:
        try:
            return await self._api.get(OpenUpload, f"{_UPLOADS}/{upload_id}")
        except RefusedError as error:
            if error.status not in _GONE:
                raise
        return None

    async def _initiate(self) -> OpenUpload:
        request: dict[str, JsonValue] = {
            "name": self._source.name,
            "path": self._source.folder,
            "size": self._size,
            "mimeType": self._source.mime_type,
            "visibility": "PRIVATE",
        }
        return await self._api.post(OpenUpload, f"{_UPLOADS}/initiate", request)

    async def _file(self, file_id: str) -> RemoteFile | None:
        try:
            file = await self._api.get(RemoteFile, f"/api/v1/files/{file_id}")
        except RefusedError as error:
            if error.status not in _GONE:
                raise
            return None
        return file if file.size == self._size else None

    async def _abort(self, record: UploadRecord) -> None:
        """Abort an upload of earlier content of the file, and delete its record."""
        if not record.done:
            try:
                await self._api.delete(f"{_UPLOADS}/{record.upload_id}")
            except RefusedError as error:
                if error.status not in _GONE:
                    raise
        await self._records.delete()

    # --- sending parts

    async def _send_and_complete(self) -> RemoteFile:
        self._progress.advance(sum(self._place(self._open, number)[1] for number in self._etags), moved=False)
        for last in (*[False] * (_COMPLETIONS - 1), True):
            missing = [n for n in range(1, len(self._open.upload_urls) + 1) if n not in self._etags]
            await in_parallel(missing, self._send, self._context.parallel)
            await self._check_unchanged()
            parts: list[JsonValue] = [{"partNumber": n, "etag": etag} for n, etag in sorted(self._etags.items())]
            body: JsonValue = {"fileId": self._open.file_id, "uploadId": self._open.upload_id, "parts": parts}
            try:
                return (await self._api.post(FileResponse, f"{_UPLOADS}/complete", body, keyed=False)).file
            except RefusedError as error:
                if error.status != 400 or last:
                    raise
            await self._reconcile()
        raise AssertionError

    async def _reconcile(self) -> None:
        """Mark the parts that the server lacks, or has with another ETag, to be sent again."""
        self._open = await self._api.get(OpenUpload, f"{_UPLOADS}/{self._open.upload_id}")
        received = {part.part_number: part.etag for part in self._open.parts}
        for number in [number for number, etag in self._etags.items() if received.get(number) != etag]:
            del self._etags[number]
            self._progress.advance(-self._place(self._open, number)[1], moved=False)

    async def _send(self, number: int) -> None:
        self._etags[number] = await self._api.retries.run(lambda: self._attempt(number))

    async def _attempt(self, number: int) -> str:
        for renewals in range(_URL_RENEWALS + 1):
            url = self._open.upload_urls[number - 1]
            response = await self._put(url, number)
            if response.status_code != 403 or renewals == _URL_RENEWALS:
                return await self._etag_in(response)
            await self._renew_urls(number, url)
        raise AssertionError

    async def _etag_in(self, response: httpx.Response) -> str:
        raise_if_transient(response)
        if response.status_code >= 300:
            refusal = refusal_of(response)
            if refusal.status in _GONE:
                await self._records.delete()
            raise refusal
        etag: str = response.headers.get("etag", "").strip('"')
        if not etag:
            raise TransferError("The object store returned no ETag for a part")
        return etag

    async def _put(self, url: str, number: int) -> httpx.Response:
        offset, length = self._place(self._open, number)
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < length:
                count = min(_CHUNK, length - sent)
                chunk = await asyncio.to_thread(os.pread, self._handle, count, offset + sent)
                if not chunk:
                    raise TransferError("The file became shorter while it was being uploaded")
                yield chunk
                sent += len(chunk)
                self._progress.advance(len(chunk))

        succeeded = False
        async with self._context.slots:
            try:
                response = await self._context.parts.put(
                    self._api.absolute(url), content=body(), headers={"Content-Length": str(length)}
                )
                succeeded = response.is_success
                return response
            finally:
                if not succeeded:
                    self._progress.advance(-sent)

    async def _renew_urls(self, number: int, stale: str) -> None:
        async with self._urls_change:
            if self._open.upload_urls[number - 1] == stale:
                self._open = await self._api.get(OpenUpload, f"{_UPLOADS}/{self._open.upload_id}")

    # --- finishing

    async def _verified(self, file: RemoteFile) -> RemoteFile:
        """Verify the checksum of ``file`` and return it."""
        if not await self._is_same(file):
            await self._records.delete()
            await self._api.delete(f"/api/v1/files/{file.id}")
            raise TransferError("The uploaded file does not have the local file's checksum; it was moved to the trash")
        await self._save_record(file)
        return file

    async def _is_same(self, file: RemoteFile) -> bool:
        return await asyncio.to_thread(matches, self._source.path, file.checksum) is not False

    async def _save_record(self, file: RemoteFile | None = None) -> None:
        upload_id = "" if file else self._open.upload_id
        file_id = file.id if file else self._open.file_id
        record = UploadRecord(
            size=self._size, mtime=self._mtime, file_id=file_id, upload_id=upload_id, done=file is not None
        )
        await self._records.save(record)

    async def _check_unchanged(self) -> None:
        if self._stat() == (self._size, self._mtime):
            return
        await self._abort(
            UploadRecord(size=self._size, mtime=self._mtime, file_id=self._open.file_id, upload_id=self._open.upload_id)
        )
        raise TransferError("The file changed while it was being uploaded")

    def _check_name(self) -> None:
        try:
            f"{self._source.folder}/{self._source.name}".encode()
        except UnicodeEncodeError:
            raise TransferError("The file's name or folder is not in UTF-8") from None

    def _stat(self) -> tuple[int, int]:
        found = os.fstat(self._handle)
        return found.st_size, found.st_mtime_ns

    def _place(self, opened: OpenUpload, number: int) -> tuple[int, int]:
        """Return offset and length of a part."""
        offset = (number - 1) * opened.part_size
        return offset, min(opened.part_size, self._size - offset)
