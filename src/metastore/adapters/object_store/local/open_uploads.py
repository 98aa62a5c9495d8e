"""The open uploads, which belong to one process: the one that receives their parts.

Usually that is the process of the store itself (``OwnUploads``). Where the data plane has a process of its own, others
ask that one (``remote_uploads``).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from metastore.adapters.object_store.local.layout import Layout
from metastore.adapters.object_store.local.part_log import PartRecord
from metastore.adapters.object_store.local.shared_syncs import SharedSyncs
from metastore.adapters.object_store.local.thread_pools import StoreThreads
from metastore.adapters.object_store.local.upload import Upload
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.kit.clock import Clock
from metastore.ports.object_store import CompletedPart, Part, StoredObject, UploadNotFoundError, UploadTarget

_RECENT_UPLOADS = 256


class OpenUploads(Protocol):
    """The calls of the store for which the state of open uploads, or of objects being read, is needed."""

    def created(self, upload_id: str, files: UploadFiles) -> None:
        """Take note of an upload that was created just now. It has no parts yet."""
        ...

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Do as ``ObjectStore.list_parts``."""
        ...

    async def complete(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Do as ``ObjectStore.complete_multipart``."""
        ...

    async def abort(self, key: str, upload_id: str) -> None:
        """Do as ``ObjectStore.abort_multipart``."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Let the other process, if there is one, close its files of deleted objects."""
        ...

    async def check(self) -> None:
        """Return when the other process, if there is one, can serve requests.

        Raises:
            StoreUnavailableError: it cannot.
        """
        ...


class OwnUploads:
    """The open uploads of this process. They are loaded when they are needed, and the most recent ones stay loaded."""

    def __init__(self, layout: Layout, threads: StoreThreads, syncs: SharedSyncs, clock: Clock) -> None:
        self._layout = layout
        self._threads = threads
        self._syncs = syncs
        self._clock = clock
        self._loading = asyncio.Lock()
        self._uploads: WeakValueDictionary[str, Upload] = WeakValueDictionary()
        self._recent: deque[Upload] = deque(maxlen=_RECENT_UPLOADS)

    def created(self, upload_id: str, files: UploadFiles) -> None:
        """Implement ``OpenUploads``."""
        self._remember(upload_id, Upload(files, {}, self._threads, self._syncs, self._layout))

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Implement ``OpenUploads``."""
        upload = await self.find(target.upload_id, target.key)
        upload.require_open()
        return upload.parts()

    async def complete(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Implement ``OpenUploads``."""
        upload = await self.find(target.upload_id, target.key)
        if not upload.files.matches(target):
            raise UploadNotFoundError(target.upload_id)
        return (await upload.complete(target, parts, self._clock)).stored()

    async def abort(self, key: str, upload_id: str) -> None:
        """Implement ``OpenUploads``."""
        try:
            upload = await self.find(upload_id, key)
        except UploadNotFoundError:
            return
        await upload.abort()

    async def forget(self, keys: Sequence[str]) -> None:
        """Implement ``OpenUploads``: there is no other process."""

    async def check(self) -> None:
        """Implement ``OpenUploads``: there is no other process."""

    async def find(self, upload_id: str, key: str) -> Upload:
        """Return an open upload.

        Raises:
            UploadNotFoundError: there is none with that id and key.
        """
        upload = self._uploads.get(upload_id)
        if upload is None:
            async with self._loading:
                upload = self._uploads.get(upload_id) or await self._load(upload_id)
        if upload.files.metadata.key != key:
            raise UploadNotFoundError(upload_id)
        return upload

    def clear(self) -> None:
        """Drop all uploads from memory."""
        self._recent.clear()

    async def _load(self, upload_id: str) -> Upload:
        folder = self._layout.upload(upload_id)
        loaded = await self._threads.files.call(_load_files, folder) if folder else None
        if loaded is None:
            raise UploadNotFoundError(upload_id)
        upload = Upload(*loaded, self._threads, self._syncs, self._layout)
        self._remember(upload_id, upload)
        return upload

    def _remember(self, upload_id: str, upload: Upload) -> None:
        self._uploads[upload_id] = upload
        self._recent.append(upload)


def _load_files(folder: Path) -> tuple[UploadFiles, dict[int, tuple[int, PartRecord]]] | None:
    try:
        return UploadFiles.load(folder)
    except FileNotFoundError:
        return None
