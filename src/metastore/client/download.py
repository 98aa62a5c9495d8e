"""Download a file in pieces."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx

from metastore.client.api import Api
from metastore.client.checksums import matches
from metastore.client.errors import TransferError, refusal_of
from metastore.client.parallel import in_parallel
from metastore.client.partial_file import PartialFile
from metastore.client.progress import Progress
from metastore.client.responses import RemoteFile
from metastore.client.retries import TransientError, raise_if_transient

_CHUNK = 2**20
_URL_RENEWALS = 3


@dataclass(frozen=True, slots=True)
class RequestedFile:
    """A file on the server and the local path to download it to."""

    file: RemoteFile
    path: Path


@dataclass(frozen=True, slots=True)
class DownloadContext:
    """What all downloads of a run share: the API, a client for the object store, and the limit on parallel requests."""

    api: Api
    bytes: httpx.AsyncClient
    slots: asyncio.Semaphore
    parallel: int
    overwrite: bool


class Download:
    """The download of one file."""

    def __init__(self, context: DownloadContext, requested: RequestedFile, progress: Progress) -> None:
        self._context = context
        self._api = context.api
        self._file = requested.file
        self._target = requested.path
        self._progress = progress
        self._url = ""
        self._etag: str | None = None
        self._url_change = asyncio.Lock()

    async def run(self) -> bool:
        """Download the file unless it already exists; return whether it was downloaded.

        Raises:
            TransferError: the download failed. Complete pieces are kept for the next run, unless the checksum is wrong.
            OSError: the file cannot be written.
        """
        if self._file.status == "UPLOADING":
            raise TransferError("The file is still being uploaded")
        if self._target.exists() and not self._context.overwrite:
            if await self._is_downloaded():
                return False
            raise TransferError(f"{self._target} exists and is another file; --overwrite replaces it")
        self._target.parent.mkdir(parents=True, exist_ok=True)
        with PartialFile(self._target, self._file) as part:
            await self._fetch(part)
        return True

    async def _is_downloaded(self) -> bool:
        if not self._target.is_file() or self._target.stat().st_size != self._file.size:
            return False
        return await asyncio.to_thread(matches, self._target, self._file.checksum) is not False

    async def _fetch(self, part: PartialFile) -> None:
        missing = part.missing
        if missing:
            self._progress.advance(self._file.size - sum(part.place(number)[1] for number in missing), moved=False)
            self._url = await self._request_url()
        await in_parallel(missing, lambda number: self._piece(part, number), self._context.parallel)
        if await asyncio.to_thread(matches, part.path, self._file.checksum) is False:
            part.discard()
            raise TransferError("The downloaded bytes do not have the file's checksum and were discarded")
        await part.finish()

    async def _piece(self, part: PartialFile, number: int) -> None:
        await self._api.retries.run(lambda: self._attempt(part, *part.place(number)))
        await part.complete(number)

    async def _attempt(self, part: PartialFile, offset: int, length: int) -> None:
        for _ in range(_URL_RENEWALS):
            url = self._url
            if await self._get(url, part, offset, length):
                return
            async with self._url_change:
                if self._url == url:
                    self._url = await self._request_url()
        raise TransferError("The object store refuses the URLs that the server returns")

    async def _get(self, url: str, part: PartialFile, offset: int, length: int) -> bool:
        """Fetch a piece. Returns ``False`` if the store refuses the URL, which may have expired."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        async with self._context.slots, self._context.bytes.stream("GET", url, headers=headers) as response:
            if response.status_code == 403:
                return False
            await self._check(response, offset, length)
            await self._save(response, part, offset, length)
            return True

    async def _save(self, response: httpx.Response, part: PartialFile, offset: int, length: int) -> None:
        received = 0
        whole = False
        try:
            async for chunk in response.aiter_raw(_CHUNK):
                # Bytes beyond the requested range would overwrite the next piece.
                data = chunk[: length - received]
                await part.write(offset + received, data)
                received += len(data)
                self._progress.advance(len(data))
            whole = received == length
        finally:
            if not whole:
                self._progress.advance(-received)
        if not whole:
            raise TransientError("The connection was closed before all bytes had arrived")

    async def _check(self, response: httpx.Response, offset: int, length: int) -> None:
        """Check that the response contains the requested piece, of the same version of the file as the others."""
        if response.status_code >= 300:
            await response.aread()
            raise_if_transient(response)
            raise refusal_of(response)
        size = self._file.size
        whole = response.status_code == 200 and length == size and response.headers.get("content-length") == str(size)
        piece = f"bytes {offset}-{offset + length - 1}/{size}"
        if not whole and (response.status_code != 206 or response.headers.get("content-range") != piece):
            raise TransferError("The server did not send the requested range")
        etag = response.headers.get("etag")
        if self._etag is not None and etag != self._etag:
            raise TransferError("The file changed on the server while it was being downloaded")
        self._etag = etag

    async def _request_url(self) -> str:
        return await self._api.redirect(f"/api/v1/files/{self._file.id}/download")
