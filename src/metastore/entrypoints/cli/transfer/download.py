"""One file on its way down."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx

from metastore.client.checksums import matches
from metastore.entrypoints.cli.transfer.api import Api
from metastore.entrypoints.cli.transfer.failures import TransferError, refusal_of
from metastore.entrypoints.cli.transfer.parallel import in_parallel
from metastore.entrypoints.cli.transfer.part_file import PartFile
from metastore.entrypoints.cli.transfer.patience import PassingError, raise_if_passing
from metastore.entrypoints.cli.transfer.progress import Bar
from metastore.entrypoints.cli.transfer.wire import RemoteFile

_CHUNK = 2**20
_URL_RENEWALS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file on the server, and the path that it is to have here."""

    file: RemoteFile
    path: Path


@dataclass(frozen=True, slots=True)
class Road:
    """What all files of a run share: the API, a client without cookies for the bytes, and how many go at once."""

    api: Api
    bytes: httpx.AsyncClient
    slots: asyncio.Semaphore
    parallel: int
    overwrite: bool


class Download:
    """See the module."""

    def __init__(self, road: Road, wanted: Wanted, bar: Bar) -> None:
        self._road = road
        self._api = road.api
        self._file = wanted.file
        self._target = wanted.path
        self._bar = bar
        self._url = ""
        self._etag: str | None = None
        self._url_change = asyncio.Lock()

    async def run(self) -> bool:
        """Bring the file here, as far as it is not; returns whether it had to be fetched.

        Raises:
            TransferError: it failed; what arrived stays for the next run unless it was found to be wrong.
            OSError: it cannot be written here.
        """
        if self._file.status == "UPLOADING":
            raise TransferError("The file is still being uploaded")
        if self._target.exists() and not self._road.overwrite:
            if await self._is_there():
                return False
            raise TransferError(f"{self._target} exists and is another file; --overwrite replaces it")
        self._target.parent.mkdir(parents=True, exist_ok=True)
        with PartFile(self._target, self._file) as part:
            await self._fetch(part)
        return True

    async def _is_there(self) -> bool:
        if not self._target.is_file() or self._target.stat().st_size != self._file.size:
            return False
        return await asyncio.to_thread(matches, self._target, self._file.checksum) is not False

    async def _fetch(self, part: PartFile) -> None:
        missing = part.missing
        if missing:
            self._bar.advance(self._file.size - sum(part.place(number)[1] for number in missing), moved=False)
            self._url = await self._address()
        await in_parallel(missing, lambda number: self._piece(part, number), self._road.parallel)
        if await asyncio.to_thread(matches, part.path, self._file.checksum) is False:
            part.discard()
            raise TransferError("What arrived does not have the file's checksum; it was thrown away")
        await part.finish()

    async def _piece(self, part: PartFile, number: int) -> None:
        await self._api.patience.during(lambda: self._attempt(part, *part.place(number)))
        await part.arrived(number)

    async def _attempt(self, part: PartFile, offset: int, length: int) -> None:
        for _ in range(_URL_RENEWALS):
            url = self._url
            if await self._get(url, part, offset, length):
                return
            async with self._url_change:
                if self._url == url:
                    self._url = await self._address()
        raise TransferError("The server's addresses for the download are refused")

    async def _get(self, url: str, part: PartFile, offset: int, length: int) -> bool:
        """Fetch a piece; ``False`` when the address is refused, as it is when its time is over."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        async with self._road.slots, self._road.bytes.stream("GET", url, headers=headers) as response:
            if response.status_code == 403:
                return False
            await self._check(response, offset, length)
            await self._take(response, part, offset, length)
            return True

    async def _take(self, response: httpx.Response, part: PartFile, offset: int, length: int) -> None:
        received = 0
        whole = False
        try:
            async for chunk in response.aiter_raw(_CHUNK):
                # More than was asked for would spill into the next piece.
                data = chunk[: length - received]
                await part.write(offset + received, data)
                received += len(data)
                self._bar.advance(len(data))
            whole = received == length
        finally:
            if not whole:
                self._bar.advance(-received)
        if not whole:
            raise PassingError("The connection ended before all bytes had arrived")

    async def _check(self, response: httpx.Response, offset: int, length: int) -> None:
        """See to it that the answer carries the piece that was asked for, of the same bytes as the others."""
        if response.status_code >= 300:
            await response.aread()
            raise_if_passing(response)
            raise refusal_of(response)
        size = self._file.size
        whole = response.status_code == 200 and length == size and response.headers.get("content-length") == str(size)
        piece = f"bytes {offset}-{offset + length - 1}/{size}"
        if not whole and (response.status_code != 206 or response.headers.get("content-range") != piece):
            raise TransferError("The server does not send the range that was asked for")
        etag = response.headers.get("etag")
        if self._etag is not None and etag != self._etag:
            raise TransferError("The file changed on the server while it was being downloaded")
        self._etag = etag

    async def _address(self) -> str:
        return await self._api.redirect(f"/api/v1/files/{self._file.id}/download")
