"""``LocalObjectStore``, the ``ObjectStore`` implementation in a folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from metastore.adapters.object_store.local.integrity import examine_object, readable_objects
from metastore.adapters.object_store.local.layout import OBJECT_METADATA, UPLOAD_METADATA, Layout
from metastore.adapters.object_store.local.metadata import UploadMetadata
from metastore.adapters.object_store.local.open_files import OpenFile, OpenFileCache
from metastore.adapters.object_store.local.open_uploads import OpenUploads, OwnUploads
from metastore.adapters.object_store.local.part_writer import BATCH, LocalPartWriter
from metastore.adapters.object_store.local.presigned_urls import UrlSigner
from metastore.adapters.object_store.local.shared_syncs import SMALL, SharedSyncs
from metastore.adapters.object_store.local.small_object import (
    Put,
    WholeObject,
    read_all,
    write_many,
    write_streamed,
)
from metastore.adapters.object_store.local.thread_pools import FileThreads, StoreThreads
from metastore.adapters.object_store.local.upload_files import Creation
from metastore.kit.api.response_headers import content_disposition, safe_media_type
from metastore.kit.clock import Clock, utc_now
from metastore.kit.ids import new_id
from metastore.ports.object_store import (
    CompletedPart,
    NewObject,
    ObjectNotFoundError,
    OpenMultipart,
    Part,
    StoredObject,
    StoreFullError,
    StoreUnavailableError,
    UploadTarget,
)
from metastore.ports.served_objects import PartGrant, ReadGrant

_READ_SIZE = 2**19
_SCAN_BATCH = 200
_THREADS = 8
_CACHED_FILES = 256


class LocalObjectStore:
    """Objects in the folder ``root``; implements ``ObjectStore`` and ``ServedObjectStore``.

    ``public_base`` is the origin of presigned URLs if it is not the product's own. ``keep_free`` is the number of bytes
    to leave free on the device, so that a full store does not stop a database on the same disk. A ``read_only`` store
    can be opened while another process writes to the folder. ``is_prepared`` means that the caller has prepared and
    locked the folder (``prepare``), for this process or a related one. ``uploads`` asks the process that receives
    parts; without it, this is the one.

    Raises:
        OSError: the folder cannot be used; ``EBUSY`` if another process writes to it.
    """

    def __init__(
        self,
        root: Path,
        signing_key: bytes,
        public_base: str = "",
        *,
        keep_free: int = 32 * 2**20,
        read_only: bool = False,
        is_prepared: bool = False,
        uploads: OpenUploads | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.public_origin = public_base
        self._clock = clock
        self._keep_free = keep_free
        self._layout = Layout(root)
        self._lock: int | None = None
        if not read_only and not is_prepared:
            self._lock = self._layout.prepare()
        self._all_threads = StoreThreads(FileThreads(_THREADS), FileThreads(_THREADS))
        self._threads = self._all_threads.files
        self._syncs = SharedSyncs(root, self._threads)
        self._urls = UrlSigner(signing_key, public_base, now=lambda: clock().timestamp())
        self._open_files = OpenFileCache(_CACHED_FILES)
        own = OwnUploads(self._layout, self._all_threads, self._syncs, clock)
        self._own_uploads = own if uploads is None else None
        self._uploads: OpenUploads = own if uploads is None else uploads

    async def create_multipart(self, key: str, *, size: int, part_size: int, content_type: str) -> str:
        """Implement the port."""
        self._layout.object(key)
        upload_id = new_id()
        metadata = UploadMetadata(key, size, part_size, content_type, self._clock().isoformat())
        parts = UploadTarget(key, upload_id, size, part_size).part_count
        creation = Creation(self._layout.uploads / upload_id, metadata, parts, self._require_space)
        # Allocating may take long on a file system without ``fallocate``.
        await (self._syncs.make(creation) if size <= SMALL else self._threads.call(creation.make_alone))
        self._uploads.created(upload_id, creation.files)
        return upload_id

    async def presign_parts(self, target: UploadTarget, numbers: Sequence[int], *, expires_in: int) -> list[str]:
        """Implement the port."""
        return self._urls.part_urls(target, numbers, expires_in)

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Implement the port."""
        return await self._uploads.list_parts(target)

    async def complete_multipart(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Implement the port."""
        return await self._uploads.complete(target, parts)

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Implement the port."""
        await self._uploads.abort(key, upload_id)

    async def is_open(self, key: str, upload_id: str) -> bool:
        """Implement the port."""
        folder = self._layout.upload(upload_id)
        document = await self._threads.call(_read_if_exists, folder / UPLOAD_METADATA) if folder else None
        return document is not None and UploadMetadata.decode(document).key == key

    async def list_multiparts(self) -> AsyncIterator[OpenMultipart]:
        """Implement the port."""
        folders = iter(await self._threads.call(_subfolders, self._layout.uploads))
        while batch := await self._threads.call(_read_metadata, folders, UPLOAD_METADATA):
            for folder, document in batch:
                if document is not None:
                    metadata = UploadMetadata.decode(document)
                    yield OpenMultipart(metadata.key, folder.name, datetime.fromisoformat(metadata.started_at))

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """Implement the port."""
        target = self._layout.object(key)
        if size <= BATCH:
            return await self._put_at_once(NewObject(key, await read_all(chunks, size), content_type))
        await self._threads.call(self._require_space, size)
        metadata = self._metadata_of(key, size, content_type)
        folder = self._layout.uploads / new_id()
        return (await write_streamed(folder, target, metadata, chunks, self._threads, self._clock)).stored()

    async def put_all(self, objects: Sequence[NewObject]) -> list[StoredObject]:
        """Implement the port."""
        if len(objects) == 1:
            return [await self._put_at_once(objects[0])]

        def write() -> list[StoredObject]:
            self._require_space(sum(len(new.content) for new in objects))
            written = write_many([self._whole(new) for new in objects], self._clock)
            return [metadata.stored() for metadata in written]

        return await self._threads.call(write) if objects else []

    async def _put_at_once(self, new: NewObject) -> StoredObject:
        put = Put(self._whole(new), self._clock, self._require_space)
        await (self._syncs.make(put) if len(new.content) <= SMALL else self._threads.call(put.make_alone))
        return put.described.stored()

    def _whole(self, new: NewObject) -> WholeObject:
        metadata = self._metadata_of(new.key, len(new.content), new.content_type)
        return WholeObject(self._layout.uploads / new_id(), self._layout.object(new.key), metadata, new.content)

    def _metadata_of(self, key: str, size: int, content_type: str) -> UploadMetadata:
        return UploadMetadata(key, size, max(size, 1), content_type, self._clock().isoformat())

    async def head(self, key: str) -> StoredObject:
        """Implement the port."""
        return (await self.open_object(key)).metadata.stored()

    async def examine(self, key: str) -> StoredObject:
        """Implement the port."""
        try:
            folder = self._layout.object(key)
        except ValueError:
            raise ObjectNotFoundError(key) from None
        return (await self._threads.call(examine_object, folder, key)).stored()

    async def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Implement the port."""
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
        """Implement the port. The URL also serves HEAD."""
        self._layout.object(key)
        disposition = content_disposition(filename, inline=inline)
        return self._urls.read_url(key, disposition, safe_media_type(content_type), expires_in)

    async def presign_reads(self, keys: Sequence[str], *, content_type: str, expires_in: int) -> list[str]:
        """Implement the port. The URLs also serve HEAD."""
        return self._urls.read_urls(keys, safe_media_type(content_type), expires_in)

    async def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Implement the port, in one thread: passing on each file would take longer than reading it."""
        return await self._threads.call(lambda: [self._content_of(key) for key in keys])

    def _content_of(self, key: str) -> bytes:
        try:
            folder = self._layout.object(key)
        except ValueError:
            raise ObjectNotFoundError(key) from None
        return OpenFile(folder, self._threads).content()

    async def delete(self, keys: Iterable[str]) -> None:
        """Implement the port."""
        deleted = list(keys)
        for key in deleted:
            await self._threads.call(self._layout.discard, self._layout.object(key))
        await self.forget(deleted)

    async def forget(self, keys: Sequence[str]) -> None:
        """Close the files of deleted objects, so that nobody can read them any more and their space is freed."""
        for key in keys:
            self._open_files.evict(key)
        await self._uploads.forget(keys)

    async def list_objects(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Implement the port."""
        for parent in self._layout.object_folders():
            folders = iter(await self._threads.call(_subfolders, parent))
            while batch := await self._threads.call(_read_metadata, folders, OBJECT_METADATA):
                for stored in readable_objects(document for _, document in batch):
                    if stored.key.startswith(prefix):
                        yield stored

    async def check(self) -> None:
        """Implement the port."""
        await self._threads.call(os.stat, self._layout.objects)
        await self._uploads.check()

    async def aclose(self) -> None:
        """Implement the port."""
        self._open_files.clear()
        if self._own_uploads is not None:
            self._own_uploads.clear()
        await asyncio.to_thread(self._all_threads.close)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def grant_put(self, path: str, query: bytes) -> PartGrant:
        """Implement ``ServedObjectStore``."""
        return self._urls.part_grant(path, query)

    def grant_get(self, path: str, query: bytes) -> ReadGrant:
        """Implement ``ServedObjectStore``."""
        return self._urls.read_grant(path, query)

    async def write_part(self, grant: PartGrant) -> LocalPartWriter:
        """Implement ``ServedObjectStore``."""
        if self._own_uploads is None:
            raise StoreUnavailableError("another process receives parts")
        upload = await self._own_uploads.find(grant.upload_id, grant.key)
        if upload.needs_side_file(grant.number):
            # Create allocated space for the part itself, but not for a side file.
            await self._threads.call(self._require_space, grant.length)
        return await LocalPartWriter.open(upload, grant.number, grant.length)

    def opened(self, key: str) -> OpenFile | None:
        """Implement ``ServedObjectStore``."""
        return self._open_files.get(key)

    async def open_object(self, key: str) -> OpenFile:
        """Implement ``ServedObjectStore``."""
        file = self._open_files.get(key)
        if file is None:
            try:
                folder = self._layout.object(key)
            except ValueError:
                raise ObjectNotFoundError(key) from None
            deletions = self._open_files.deletions
            file = await self._threads.call(OpenFile, folder, self._threads)
            if deletions == self._open_files.deletions:
                self._open_files.add(key, file)
        return file

    def _require_space(self, size: int) -> None:
        device = os.statvfs(self._layout.root)
        if device.f_bavail * device.f_frsize < size + self._keep_free:
            raise StoreFullError("no space left on the device")


def _subfolders(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _read_metadata(folders: Iterator[Path], name: str) -> list[tuple[Path, bytes | None]]:
    """Return the next folders with their metadata documents, ``None`` for those without one."""
    return [(folder, _read_if_exists(folder / name)) for folder in islice(folders, _SCAN_BATCH)]


def _read_if_exists(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
