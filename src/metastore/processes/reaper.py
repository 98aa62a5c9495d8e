"""The reaper: periodic cleanup of what clients and crashes leave behind.

Every round it starts a saga for expired uploads that have none, aborts multipart uploads that are in the store but not
in the database (a crash between the two), ends open uploads whose parts the store has lost, purges expired trash, and
deletes completed uploads, expired sessions and old idempotency keys. Each step is bounded and may be repeated. Several
reapers may run at once, since each removal is one conditional statement.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from metastore.features.auth.service import AuthService
from metastore.features.files.service import FilesService
from metastore.features.uploads import reaping
from metastore.features.uploads.reaping import OpenUpload
from metastore.features.uploads.service import UploadsService
from metastore.kit import idempotency_claims
from metastore.kit.clock import Clock
from metastore.kit.database import Database
from metastore.kit.spare_room import SpareRoom
from metastore.ports.object_store import ObjectStore, OpenMultipart

_BATCH = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReaperTimes:
    """Seconds between rounds, and the lifetimes of uploads and trash in seconds."""

    interval: int
    upload_ttl: int
    trash_ttl: int


class Reaper:
    """Runs cleanup rounds until cancelled."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        uploads: UploadsService,
        files: FilesService,
        auth: AuthService,
        times: ReaperTimes,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._files = files
        self._auth = auth
        self._times = times
        self._clock = clock
        self._spare_room = SpareRoom(database)
        self._checked_up_to = ""
        self._missed: dict[str, OpenUpload] = {}

    async def run(self) -> None:
        """Run rounds until cancelled. A step that fails is logged and retried in the next round."""
        while True:
            await self.round()
            await asyncio.sleep(self._times.interval)

    async def round(self) -> None:
        """Run every step once."""
        steps: list[Callable[[], Awaitable[None]]] = [
            self._spare_room.ensure,
            self._restart_ended_sagas,
            self._abort_unknown_multiparts,
            self._end_lost_uploads,
            self._purge_trash,
            self._delete_completed_uploads,
            self._delete_sessions_and_keys,
        ]
        for step in steps:
            try:
                await step()
            except Exception:  # noqa: BLE001  logged, and the other steps go on
                _log.exception("reaper step failed", step=step.__name__)

    async def _restart_ended_sagas(self) -> None:
        """Start a saga for expired uploads that have none: their compensation was skipped."""
        for upload in await reaping.expired_without_saga(self._database, self._clock(), _BATCH):
            try:
                await self._uploads.restart_saga(upload)
                _log.warning("started a saga for an expired upload", upload_id=upload.id)
            except Exception:  # noqa: BLE001  logged, and the other uploads follow
                _log.exception("no saga started for an expired upload", upload_id=upload.id)

    async def _abort_unknown_multiparts(self) -> None:
        cutoff = self._clock() - timedelta(seconds=self._times.upload_ttl)
        batch: list[OpenMultipart] = []
        async for multipart in self._store.list_multiparts():
            if multipart.started_at < cutoff:
                batch.append(multipart)
            if len(batch) == _BATCH:
                await self._abort_unknown(batch)
                batch = []
        await self._abort_unknown(batch)

    async def _abort_unknown(self, batch: Sequence[OpenMultipart]) -> None:
        for multipart in await reaping.unknown_multiparts(self._database, batch):
            await self._store.abort_multipart(multipart.key, multipart.upload_id)

    async def _end_lost_uploads(self) -> None:
        """Check some open uploads each round. An upload is ended when two rounds find its parts missing."""
        missed, self._missed = self._missed, {}
        for upload in missed.values():
            if await reaping.is_lost(self._database, self._store, upload):
                await self._end_lost_upload(upload)
        page = await reaping.open_uploads(self._database, self._checked_up_to, _BATCH)
        self._checked_up_to = page[-1].id if len(page) == _BATCH else ""
        for upload in page:
            if upload.id not in missed and await reaping.is_lost(self._database, self._store, upload):
                self._missed[upload.id] = upload

    async def _end_lost_upload(self, lost: OpenUpload) -> None:
        upload = await reaping.find(self._database, lost.id)
        if upload is not None:
            await self._uploads.discard(upload, "lost by the store")
            _log.warning("ended an upload whose parts the store has lost", upload_id=lost.id)

    async def _purge_trash(self) -> None:
        cutoff = self._clock() - timedelta(seconds=self._times.trash_ttl)
        purged = _BATCH
        while purged >= _BATCH:
            async with self._database.transaction() as tx:
                purged = await self._files.purge_expired_trash(tx, before=cutoff, limit=_BATCH)

    async def _delete_completed_uploads(self) -> None:
        cutoff = self._clock() - timedelta(days=1)
        await reaping.forget_completed(self._database, cutoff, _BATCH)

    async def _delete_sessions_and_keys(self) -> None:
        async with self._database.transaction() as tx:
            await self._auth.forget_expired_sessions(tx)
            await idempotency_claims.prune(tx)
