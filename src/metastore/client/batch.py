"""Upload small files together, up to 200 in one request.

A batch takes effect once, however often it is sent, by its idempotency key. If a run is killed before it has the
response, the next one looks for the files in their folders, and takes those of the same name and content as uploaded.
What cannot go in a batch, or was refused with it, is uploaded alone (``upload``).
"""

import asyncio
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from metastore.client.api import Form
from metastore.client.batch_records import BatchedFile, BatchRecords
from metastore.client.checksums import matches, matches_bytes
from metastore.client.errors import RefusedError, TransferError
from metastore.client.progress import Progress
from metastore.client.remote_tree import children
from metastore.client.responses import BatchItem, BatchResponse, RemoteFile
from metastore.client.retries import is_transient
from metastore.client.sources import Source
from metastore.client.upload import UploadContext
from metastore.client.upload_records import UploadRecords

_URL = "/api/v1/files/upload-batch"
_SMALL = 2**20
"""Smaller files go in batches."""
_MAX_FILES = 200
_MAX_BYTES = 8 * 2**20
_AMBIGUOUS = ('"', "%22", "\\")
"""What the form of a batch cannot express in a file name."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: stored as ``file``, failed with ``error``, or, with neither, to be uploaded alone."""

    source: Source
    file: RemoteFile | None = None
    error: TransferError | OSError | None = None

    @property
    def is_undecided(self) -> bool:
        """Return whether the file is to be uploaded alone."""
        return self.file is None and self.error is None


@dataclass(frozen=True, slots=True)
class Plan:
    """Files that an earlier run has uploaded, batches to upload, and files to upload alone."""

    done: list[Outcome] = field(default_factory=list)
    batches: list[list[Source]] = field(default_factory=list)
    alone: list[Source] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Content:
    """What was read of a file."""

    source: Source
    data: bytes
    mtime: int

    def record(self, file_id: str = "") -> BatchedFile:
        path = str(self.source.path.absolute())
        return BatchedFile(path=path, folder=self.source.folder, size=len(self.data), mtime=self.mtime, file_id=file_id)


class Batches:
    """Uploads batches. Hold ``lock`` meanwhile."""

    def __init__(self, context: UploadContext) -> None:
        self._context = context
        self._api = context.api
        self._records = BatchRecords(context.api.server, context.api.username)
        self._supported = True
        self.lock = self._records.lock

    async def plan(self, sources: list[Source]) -> Plan:
        """Decide how to upload ``sources``. A single small file is uploaded alone: a batch would save nothing.

        Raises:
            TransferError: the server cannot be asked for what is already there.
        """
        fitting = set(await asyncio.to_thread(lambda: [source for source in sources if self._fits(source)]))
        uploaded = await self._uploaded(fitting) if fitting else {}
        small = [source for source in sources if source in fitting and source not in uploaded]
        if len(small) < 2:
            fitting.difference_update(small)
            small = []
        return Plan(
            [Outcome(source, file) for source, file in uploaded.items()],
            list(_in_batches(small)),
            [source for source in sources if source not in fitting],
        )

    async def upload(self, sources: list[Source], progress: Progress) -> list[Outcome]:
        """Upload a batch, and return the outcome of each file. Raises nothing but cancellation."""
        if not self._supported:
            return [Outcome(source) for source in sources]
        outcomes, contents = await asyncio.to_thread(_read, sources)
        if not contents:
            return outcomes
        record = self._records.new()
        await record.save([content.record() for content in contents])
        try:
            async with self._context.slots:
                response = await self._api.post_form(BatchResponse, _URL, _form(contents))
        except RefusedError as error:
            # The server may not know batches; another reason is found again for each file, or concerns only some.
            self._supported = error.status not in {404, 405}
            await record.save([])
            return outcomes + [Outcome(content.source) for content in contents]
        except TransferError as error:
            return outcomes + [Outcome(content.source, error=error) for content in contents]
        items = [*response.items, *[BatchItem()] * len(contents)]
        sent = [await self._outcome(content, item) for content, item in zip(contents, items, strict=False)]
        ids = {outcome.source: outcome.file.id for outcome in sent if outcome.file}
        await record.save([content.record(ids[content.source]) for content in contents if content.source in ids])
        progress.advance(sum(len(content.data) for content in contents))
        return outcomes + sent

    async def _outcome(self, content: _Content, item: BatchItem) -> Outcome:
        if item.file is None:
            problem = item.problem
            if problem is None or is_transient(problem.status):
                return Outcome(content.source)
            detail = problem.detail or problem.title
            return Outcome(content.source, error=RefusedError(problem.status, problem.code, detail))
        if matches_bytes(content.data, item.file.checksum) is not False:
            return Outcome(content.source, item.file)
        await self._api.delete(f"/api/v1/files/{item.file.id}")
        detail = "The uploaded file does not have the local file's checksum; it was moved to the trash"
        return Outcome(content.source, error=TransferError(detail))

    # --- planning

    def _fits(self, source: Source) -> bool:
        name = f"{source.folder}/{source.name}"
        if source.size >= _SMALL or _CONTROL.search(name) or any(text in name for text in _AMBIGUOUS):
            return False
        try:
            str(source.path.absolute()).encode()
        except UnicodeEncodeError:
            return False
        if (source.folder, source.name, source.size) in self._context.unfinished:
            return False
        records = UploadRecords(self._api.server, self._api.username, source.path, source.folder)
        return not records.exists()

    async def _uploaded(self, sources: Iterable[Source]) -> dict[Source, RemoteFile]:
        """Return the files that earlier batches have uploaded and that are still there."""
        records = await self._records.load()
        known: dict[str, list[tuple[Source, BatchedFile]]] = {}
        for source in sources:
            record = records.get((str(source.path.absolute()), source.folder))
            if record and _is_unchanged(source, record):
                known.setdefault(source.folder, []).append((source, record))
        found: dict[Source, RemoteFile] = {}
        for folder, pairs in known.items():
            there = await self._files_in(folder)
            by_id, by_name = {file.id: file for file in there}, {file.name: file for file in there}
            for source, record in pairs:
                file = by_id.get(record.file_id) if record.file_id else by_name.get(source.name)
                if file is None or file.size != record.size:
                    continue
                # Without a response, the file may be another one of the same name.
                is_same: bool | None = bool(record.file_id)
                if not is_same:
                    is_same = await asyncio.to_thread(matches, source.path, file.checksum)
                if is_same:
                    found[source] = file
        return found

    async def _files_in(self, folder: str) -> list[RemoteFile]:
        try:
            return [item async for item in children(self._api, path=folder) if isinstance(item, RemoteFile)]
        except RefusedError as error:
            if error.status != 404:
                raise
        return []


def _in_batches(sources: list[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    room = _MAX_BYTES
    for source in sources:
        if batch and (len(batch) == _MAX_FILES or source.size > room):
            yield batch
            batch, room = [], _MAX_BYTES
        batch.append(source)
        room -= source.size
    if batch:
        yield batch


def _read(sources: list[Source]) -> tuple[list[Outcome], list[_Content]]:
    """Read files. Those that cannot be read have failed; those that have grown are to be uploaded alone."""
    outcomes: list[Outcome] = []
    contents: list[_Content] = []
    for source in sources:
        try:
            with source.path.open("rb") as file:
                data = file.read(_SMALL)
                mtime = os.fstat(file.fileno()).st_mtime_ns
        except OSError as error:
            outcomes.append(Outcome(source, error=error))
            continue
        if len(data) == _SMALL:
            outcomes.append(Outcome(source))
        else:
            contents.append(_Content(source, data, mtime))
    return outcomes, contents


def _form(contents: list[_Content]) -> Form:
    files = [
        (f"{content.source.folder}/{content.source.name}".lstrip("/"), content.data, content.source.mime_type)
        for content in contents
    ]
    return Form({"path": "/"}, files)


def _is_unchanged(source: Source, record: BatchedFile) -> bool:
    try:
        found = source.path.stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (record.size, record.mtime)
