"""The steps of processing media together; ``media.ingest`` binds them into the saga of a file's arrival.

Each may run again, and beside itself: whatever it makes lies under keys that no other attempt uses, or is kept under
the saga's claim.
"""

import structlog
from pydantic import JsonValue

from metastore.features.files.processing import INGEST
from metastore.features.media import checking, repository
from metastore.features.media.events import MediaDropped
from metastore.features.media.freeing import keys_dropped
from metastore.features.media.originals import delete_all
from metastore.features.media.picturing import Picturing
from metastore.features.media.probing import Probing
from metastore.features.media.rendering import Rendering
from metastore.kit import saga as sagas
from metastore.kit.database import Database
from metastore.kit.saga_models import Saga
from metastore.ports.media_tools import MediaTools
from metastore.ports.object_store import ObjectStore
from metastore.ports.realtime import Realtime
from metastore.ports.transcoder import Transcoder

SOCKET_EVENT = "file.progress"
_log = structlog.get_logger(__name__)


class MediaService:
    """The steps, by what they do; and the end of all that was made of a file."""

    def __init__(
        self, database: Database, store: ObjectStore, tools: MediaTools, transcoder: Transcoder, realtime: Realtime
    ) -> None:
        self._database = database
        self._store = store
        self._realtime = realtime
        self.probing = Probing(database, store, tools)
        self.picturing = Picturing(database, store, tools)
        self.rendering = Rendering(database, store, transcoder, self._tell_playable)

    async def tell(self, saga: Saga, **more: JsonValue) -> None:
        """Tell the owner's open screens how far the processing of a file is."""
        owner_id = saga.data.get("ownerId")
        if isinstance(owner_id, str):
            told: dict[str, JsonValue] = {"fileId": saga.subject, "step": saga.step, "progress": saga.progress, **more}
            await self._realtime.emit_to_user(owner_id, SOCKET_EVENT, told)

    async def remove(self, file_id: str) -> None:
        """Stop making anything of a file that is gone, and delete what was made. May run again.

        Objects go before the rows that know of them.
        """
        async with self._database.transaction() as tx:
            if not await sagas.cancel(tx, INGEST, file_id, error="file purged"):
                await sagas.forget(tx, INGEST, file_id)
        async with self._database.reading() as tx:
            is_known = await repository.find(tx, file_id) is not None
            keys = await checking.keys_of_file(tx, file_id)
        await delete_all(self._store, keys)
        if is_known:
            async with self._database.transaction() as tx:
                await repository.forget(tx, file_id)

    async def free(self, dropped: MediaDropped) -> None:
        """Delete what was to be deleted while the store was away."""
        await delete_all(self._store, keys_dropped(dropped))

    async def _tell_playable(self, saga: Saga) -> None:
        try:
            await self.tell(saga, playable=True)
        except Exception as error:  # noqa: BLE001  a convenience: the database has it as well
            _log.info("that a file can be played was not told", error=repr(error), file_id=saga.subject)
