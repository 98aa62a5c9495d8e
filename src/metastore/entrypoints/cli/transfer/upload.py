"""One file on its way up."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from metastore.client.checksums import is_digest_of, matches
from metastore.entrypoints.cli.transfer.api import Api
from metastore.entrypoints.cli.transfer.failures import RefusedError, TransferError, refusal_of
from metastore.entrypoints.cli.transfer.parallel import in_parallel
from metastore.entrypoints.cli.transfer.patience import raise_if_passing
from metastore.entrypoints.cli.transfer.progress import Bar
from metastore.entrypoints.cli.transfer.records import UploadRecord, UploadRecords
from metastore.entrypoints.cli.transfer.sources import Source
from metastore.entrypoints.cli.transfer.wire import FileAnswer, OpenUpload, RemoteFile

_UPLOADS = "/api/v1/files/chunked-upload"
_CHUNK = 512 * 1024
_URL_RENEWALS = 3
_COMPLETIONS = 3
_GONE = frozenset({404, 409, 410})


@dataclass(frozen=True, slots=True)
class Road:
    """What all files of a run share: the API, a client without cookies for the parts, and how many go at once.

    ``unfinished`` are the ids of the server's unfinished uploads by (folder, name, size).
    """

    api: Api
    parts: httpx.AsyncClient
    slots: asyncio.Semaphore
    parallel: int
    unfinished: dict[tuple[str, str, int], str]


class Upload:
    """See the module."""

    def __init__(self, road: Road, source: Source, bar: Bar) -> None:
        self._road = road
        self._api = road.api
        self._source = source
        self._bar = bar
        self._records = UploadRecords(road.api.server, road.api.username, source.path, source.folder)
        self._urls_change = asyncio.Lock()

    async def run(self) -> tuple[RemoteFile, bool]:
        """Bring the file to the server, as far as it is not there; returns it, and whether it had to be sent.

        Raises:
            TransferError: it failed; what was sent stays for the next run wherever that makes sense.
            OSError: the file cannot be read.
        """
        async with self._records.held():
            self._refuse_unspeakable()
            self._handle = os.open(self._source.path, os.O_RDONLY)
            try:
                return await self._bring()
            finally:
                os.close(self._handle)

    async def _bring(self) -> tuple[RemoteFile, bool]:
        self._size, self._mtime = self._stat()
        record = await self._records.load()
        if record and (record.size, record.mtime) != (self._size, self._mtime):
            await self._give_up(record)
            record = None
        left = await self._left_by(record) if record else None
        if isinstance(left, RemoteFile):
            return left, not (record and record.done)
        self._open = left or await self._adopted() or await self._begun()
        self._etags = {part.part_number: part.etag for part in self._open.parts}
        await self._keep_record()
        return await self._finished(await self._send_and_complete()), True

    # --- beginning

    async def _left_by(self, record: UploadRecord) -> OpenUpload | RemoteFile | None:
        """What became of what an earlier run began: an upload still open, or the file, if it is still there."""
        if not record.done:
            opened = await self._opened(record.upload_id)
            if opened:
                return opened
        there = await self._file(record.file_id)
        if there is None or record.done:
            return there
        # Completed, but the answer was not heard.
        if there.status not in {"PROCESSING", "READY"} or not await self._is_this(there):
            return None
        await self._keep_record(there)
        return there

    async def _adopted(self) -> OpenUpload | None:
        """An open upload of that name and size whose record was lost.

        Nothing else tells whether it was begun with the same content, so all parts that arrived have to prove it.
        """
        upload_id = self._road.unfinished.pop((self._source.folder, self._source.name, self._size), None)
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

    async def _begun(self) -> OpenUpload:
        wanted: dict[str, JsonValue] = {
            "name": self._source.name,
            "path": self._source.folder,
            "size": self._size,
            "mimeType": self._source.mime_type,
            "visibility": "PRIVATE",
        }
        return await self._api.post(OpenUpload, f"{_UPLOADS}/initiate", wanted)

    async def _file(self, file_id: str) -> RemoteFile | None:
        try:
            there = await self._api.get(RemoteFile, f"/api/v1/files/{file_id}")
        except RefusedError as error:
            if error.status not in _GONE:
                raise
            return None
        return there if there.size == self._size else None

    async def _give_up(self, record: UploadRecord) -> None:
        """Free what an upload of the file's earlier content holds on the server."""
        if not record.done:
            try:
                await self._api.delete(f"{_UPLOADS}/{record.upload_id}")
            except RefusedError as error:
                if error.status not in _GONE:
                    raise
        await self._records.forget()

    # --- sending

    async def _send_and_complete(self) -> RemoteFile:
        self._bar.advance(sum(self._place(self._open, number)[1] for number in self._etags), moved=False)
        for last in (*[False] * (_COMPLETIONS - 1), True):
            missing = [n for n in range(1, len(self._open.upload_urls) + 1) if n not in self._etags]
            await in_parallel(missing, self._send, self._road.parallel)
            await self._refuse_changed()
            parts: list[JsonValue] = [{"partNumber": n, "etag": etag} for n, etag in sorted(self._etags.items())]
            body: JsonValue = {"fileId": self._open.file_id, "uploadId": self._open.upload_id, "parts": parts}
            try:
                return (await self._api.post(FileAnswer, f"{_UPLOADS}/complete", body, keyed=False)).file
            except RefusedError as error:
                if error.status != 400 or last:
                    raise
            await self._look_again()
        raise AssertionError

    async def _look_again(self) -> None:
        """Forget the parts that the server does not hold the way we remember them."""
        self._open = await self._api.get(OpenUpload, f"{_UPLOADS}/{self._open.upload_id}")
        held = {part.part_number: part.etag for part in self._open.parts}
        for number in [number for number, etag in self._etags.items() if held.get(number) != etag]:
            del self._etags[number]
            self._bar.advance(-self._place(self._open, number)[1], moved=False)

    async def _send(self, number: int) -> None:
        self._etags[number] = await self._api.patience.during(lambda: self._attempt(number))

    async def _attempt(self, number: int) -> str:
        for renewals in range(_URL_RENEWALS + 1):
            url = self._open.upload_urls[number - 1]
            response = await self._put(url, number)
            if response.status_code != 403 or renewals == _URL_RENEWALS:
                return await self._etag_in(response)
            await self._renew_urls(number, url)
        raise AssertionError

    async def _etag_in(self, response: httpx.Response) -> str:
        raise_if_passing(response)
        if response.status_code >= 300:
            refusal = refusal_of(response)
            if refusal.status in _GONE:
                await self._records.forget()
            raise refusal
        etag: str = response.headers.get("etag", "").strip('"')
        if not etag:
            raise TransferError("The server's store told no ETag of a part")
        return etag

    async def _put(self, url: str, number: int) -> httpx.Response:
        offset, length = self._place(self._open, number)
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < length:
                wanted = min(_CHUNK, length - sent)
                chunk = await asyncio.to_thread(os.pread, self._handle, wanted, offset + sent)
                if not chunk:
                    raise TransferError("The file became shorter while it was being uploaded")
                yield chunk
                sent += len(chunk)
                self._bar.advance(len(chunk))

        arrived = False
        async with self._road.slots:
            try:
                response = await self._road.parts.put(
                    self._api.absolute(url), content=body(), headers={"Content-Length": str(length)}
                )
                arrived = response.is_success
                return response
            finally:
                if not arrived:
                    self._bar.advance(-sent)

    async def _renew_urls(self, number: int, stale: str) -> None:
        async with self._urls_change:
            if self._open.upload_urls[number - 1] == stale:
                self._open = await self._api.get(OpenUpload, f"{_UPLOADS}/{self._open.upload_id}")

    # --- ending

    async def _finished(self, file: RemoteFile) -> RemoteFile:
        """``file``, when its bytes are those that lie here."""
        if not await self._is_this(file):
            await self._records.forget()
            await self._api.delete(f"/api/v1/files/{file.id}")
            raise TransferError("What arrived has another checksum than the file; it was moved to the trash")
        await self._keep_record(file)
        return file

    async def _is_this(self, file: RemoteFile) -> bool:
        return await asyncio.to_thread(matches, self._source.path, file.checksum) is not False

    async def _keep_record(self, file: RemoteFile | None = None) -> None:
        upload_id = "" if file else self._open.upload_id
        file_id = file.id if file else self._open.file_id
        record = UploadRecord(
            size=self._size, mtime=self._mtime, file_id=file_id, upload_id=upload_id, done=file is not None
        )
        await self._records.save(record)

    async def _refuse_changed(self) -> None:
        if self._stat() == (self._size, self._mtime):
            return
        await self._give_up(
            UploadRecord(size=self._size, mtime=self._mtime, file_id=self._open.file_id, upload_id=self._open.upload_id)
        )
        raise TransferError("The file changed while it was being uploaded")

    def _refuse_unspeakable(self) -> None:
        try:
            f"{self._source.folder}/{self._source.name}".encode()
        except UnicodeEncodeError:
            raise TransferError("Its name or folder is not in UTF-8") from None

    def _stat(self) -> tuple[int, int]:
        found = os.fstat(self._handle)
        return found.st_size, found.st_mtime_ns

    def _place(self, opened: OpenUpload, number: int) -> tuple[int, int]:
        """Offset and length of a part."""
        offset = (number - 1) * opened.part_size
        return offset, min(opened.part_size, self._size - offset)
