"""``LocalObjectStore``: the port's methods, put together from the parts beside it."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from weakref import WeakValueDictionary

from metastore.adapters.object_store.answer_headers import content_disposition, safe_media_type
from metastore.adapters.object_store.local.examining import examine_object, readable_objects
from metastore.adapters.object_store.local.facts import UploadFacts
from metastore.adapters.object_store.local.layout import OBJECT_FACTS, UPLOAD_FACTS, Layout
from metastore.adapters.object_store.local.open_files import HotFiles, OpenFile
from metastore.adapters.object_store.local.part_writer import LocalPartWriter
from metastore.adapters.object_store.local.records import PartRecord
from metastore.adapters.object_store.local.small_object import write_small_object
from metastore.adapters.object_store.local.threads import FileThreads, StoreThreads
from metastore.adapters.object_store.local.upload import Upload
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.adapters.object_store.local.urls import UrlSigner
from metastore.kit.clock import Clock, utc_now
from metastore.kit.ids import new_id
from metastore.ports.object_store import (
    CompletedPart,
    ObjectNotFoundError,
    OpenMultipart,
    Part,
    StoredObject,
    StoreFullError,
    UploadNotFoundError,
    UploadTarget,
)
from metastore.ports.served_objects import PartGrant, ReadGrant

_READ_SIZE = 2**19
_SCAN_BATCH = 200
_RECENT_UPLOADS = 256
_HOT_FILES = 256


class LocalObjectStore:
    """Objects in the folder ``root``; implements ``ObjectStore`` and ``ServedObjectStore``.

    ``public_base`` is the origin of the data plane when it is not the product's own. ``keep_free`` bytes of the device
    are left to others, so that a full store does not stop a database beside it. With ``read_only`` the store may be
    opened beside a running one, to look at.

    Raises:
        OSError: the folder cannot be used; ``EBUSY`` when another process writes in it.
    """

    def __init__(
        self,
        root: Path,
        signing_key: bytes,
        public_base: str = "",
        *,
        keep_free: int = 32 * 2**20,
        read_only: bool = False,
        threads: int = 8,
        clock: Clock = utc_now,
    ) -> None:
        self.public_origin = public_base
        self._clock = clock
        self._keep_free = keep_free
        self._layout = Layout(root)
        self._lock: int | None = None
        if not read_only:
            self._layout.create()
            self._lock = self._layout.lock()
            self._layout.sweep()
        self._all_threads = StoreThreads(FileThreads(threads), FileThreads(threads))
        self._threads = self._all_threads.files
        self._urls = UrlSigner(signing_key, public_base, now=lambda: clock().timestamp())
        self._hot = HotFiles(_HOT_FILES)
        self._loading = asyncio.Lock()
        self._uploads: WeakValueDictionary[str, Upload] = WeakValueDictionary()
        self._recent: deque[Upload] = deque(maxlen=_RECENT_UPLOADS)

    async def create_multipart(self, key: str, *, size: int, part_size: int, content_type: str) -> str:
        """See the port."""
        self._layout.object(key)
        upload_id = new_id()
        facts = UploadFacts(key, size, part_size, content_type, self._clock().isoformat())
        parts = UploadTarget(key, upload_id, size, part_size).part_count
        await self._threads.call(self._require_room, size)
        folder = self._layout.uploads / upload_id
        files = await self._threads.call(UploadFiles.create, folder, facts, parts, resumable=True)
        self._remember(upload_id, Upload(files, {}, self._all_threads, self._layout))
        return upload_id

    async def presign_parts(self, target: UploadTarget, numbers: Sequence[int], *, expires_in: int) -> list[str]:
        """See the port."""
        return self._urls.part_urls(target, numbers, expires_in)

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """See the port."""
        upload = await self._find(target.upload_id, target.key)
        upload.require_open()
        return upload.parts()

    async def complete_multipart(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """See the port."""
        upload = await self._find(target.upload_id, target.key)
        if not upload.files.fits(target):
            raise UploadNotFoundError(target.upload_id)
        facts = await upload.complete(target, parts, self._clock)
        return facts.stored()

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """See the port."""
        try:
            upload = await self._find(upload_id, key)
        except UploadNotFoundError:
            return
        await upload.abort()

    async def is_open(self, key: str, upload_id: str) -> bool:
        """See the port."""
        folder = self._layout.upload(upload_id)
        document = await self._threads.call(_read_if_there, folder / UPLOAD_FACTS) if folder else None
        return document is not None and UploadFacts.decode(document).key == key

    async def list_multiparts(self) -> AsyncIterator[OpenMultipart]:
        """See the port."""
        folders = iter(await self._threads.call(_folders_in, self._layout.uploads))
        while batch := await self._threads.call(_read_facts, folders, UPLOAD_FACTS):
            for folder, document in batch:
                if document is not None:
                    facts = UploadFacts.decode(document)
                    yield OpenMultipart(facts.key, folder.name, datetime.fromisoformat(facts.started_at))

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """See the port."""
        target = self._layout.object(key)
        await self._threads.call(self._require_room, size)
        facts = UploadFacts(key, size, max(size, 1), content_type, self._clock().isoformat())
        folder = self._layout.uploads / new_id()
        return (await write_small_object(folder, target, facts, chunks, self._threads, self._clock)).stored()

    async def head(self, key: str) -> StoredObject:
        """See the port."""
        return (await self.open_object(key)).facts.stored()

    async def examine(self, key: str) -> StoredObject:
        """See the port."""
        try:
            folder = self._layout.object(key)
        except ValueError:
            raise ObjectNotFoundError(key) from None
        return (await self._threads.call(examine_object, folder, key)).stored()

    async def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See the port."""
        file = await self.open_object(key)
        end = file.size if length is None else min(file.size, offset + length)
        while offset < end:
            chunk = await file.read(offset, min(_READ_SIZE, end - offset))
            offset += len(chunk)
            yield chunk

    async def presign_get(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        inline: bool = False,
        head: bool = False,
        expires_in: int,
    ) -> str:
        """See the port; here one URL serves GET and HEAD."""
        self._layout.object(key)
        disposition = content_disposition(filename, inline=inline)
        return self._urls.read_url(key, disposition, safe_media_type(content_type), expires_in)

    async def presign_reads(self, keys: Sequence[str], *, content_type: str, expires_in: int) -> list[str]:
        """See the port; here each URL serves GET and HEAD."""
        return self._urls.read_urls(keys, safe_media_type(content_type), expires_in)

    async def delete(self, keys: Iterable[str]) -> None:
        """See the port."""
        for key in keys:
            await self._threads.call(self._layout.discard, self._layout.object(key))
            self._hot.forget(key)

    async def list_objects(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """See the port."""
        for shelf in self._layout.shelves():
            folders = iter(await self._threads.call(_folders_in, shelf))
            while batch := await self._threads.call(_read_facts, folders, OBJECT_FACTS):
                for stored in readable_objects(document for _, document in batch):
                    if stored.key.startswith(prefix):
                        yield stored

    async def check(self) -> None:
        """See the port."""
        await self._threads.call(os.stat, self._layout.objects)

    async def aclose(self) -> None:
        """See the port."""
        self._hot.clear()
        self._recent.clear()
        await asyncio.to_thread(self._all_threads.close)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def grant_put(self, path: str, query: bytes) -> PartGrant:
        """See ``ServedObjectStore``."""
        return self._urls.part_grant(path, query)

    def grant_get(self, path: str, query: bytes) -> ReadGrant:
        """See ``ServedObjectStore``."""
        return self._urls.read_grant(path, query)

    async def write_part(self, grant: PartGrant) -> LocalPartWriter:
        """See ``ServedObjectStore``."""
        upload = await self._find(grant.upload_id, grant.key)
        if upload.needs_side(grant.number):
            # The room for the part was taken when the upload began, but not for another beside it.
            await self._threads.call(self._require_room, grant.length)
        return await LocalPartWriter.open(upload, grant.number, grant.length)

    def opened(self, key: str) -> OpenFile | None:
        """See ``ServedObjectStore``."""
        return self._hot.get(key)

    async def open_object(self, key: str) -> OpenFile:
        """See ``ServedObjectStore``."""
        file = self._hot.get(key)
        if file is None:
            try:
                folder = self._layout.object(key)
            except ValueError:
                raise ObjectNotFoundError(key) from None
            deletions = self._hot.deletions
            file = await self._threads.call(OpenFile, folder, self._threads)
            if deletions == self._hot.deletions:
                self._hot.add(key, file)
        return file

    async def _find(self, upload_id: str, key: str) -> Upload:
        upload = self._uploads.get(upload_id)
        if upload is None:
            async with self._loading:
                upload = self._uploads.get(upload_id) or await self._load(upload_id)
        if upload.files.facts.key != key:
            raise UploadNotFoundError(upload_id)
        return upload

    async def _load(self, upload_id: str) -> Upload:
        folder = self._layout.upload(upload_id)
        loaded = await self._threads.call(_load_files, folder) if folder else None
        if loaded is None:
            raise UploadNotFoundError(upload_id)
        upload = Upload(*loaded, self._all_threads, self._layout)
        self._remember(upload_id, upload)
        return upload

    def _remember(self, upload_id: str, upload: Upload) -> None:
        self._uploads[upload_id] = upload
        self._recent.append(upload)

    def _require_room(self, size: int) -> None:
        device = os.statvfs(self._layout.root)
        if device.f_bavail * device.f_frsize < size + self._keep_free:
            raise StoreFullError("no room left on the device")


def _load_files(folder: Path) -> tuple[UploadFiles, dict[int, tuple[int, PartRecord]]] | None:
    try:
        return UploadFiles.load(folder)
    except FileNotFoundError:
        return None


def _folders_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _read_facts(folders: Iterator[Path], name: str) -> list[tuple[Path, bytes | None]]:
    """The next few folders with their facts, ``None`` for those without."""
    return [(folder, _read_if_there(folder / name)) for folder in islice(folders, _SCAN_BATCH)]


def _read_if_there(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
