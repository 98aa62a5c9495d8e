"""The saga step ``probe``."""

from metastore.features.files.content.sniffing import has_media_suffix
from metastore.features.media import repository
from metastore.features.media.models import Media
from metastore.features.media.objects.source_file import find_source_file, open_source
from metastore.features.media.probe.results import dump_result
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.saga.definition import Effect, Outcome, Report, StepFailedError
from metastore.kit.saga.models import Saga
from metastore.ports.media_tools import MediaRefusedError, MediaTools, ProbeResult
from metastore.ports.object_store import ObjectStore


class ProbeStep:
    """Finds out what uploaded files contain."""

    def __init__(self, database: Database, store: ObjectStore, tools: MediaTools) -> None:
        self._database = database
        self._store = store
        self._tools = tools

    async def probe(self, saga: Saga, report: Report) -> Outcome:
        """Probe the file and save the result.

        A file whose content only starts like media, and whose name is not one of a media file either, is left without
        a result.

        Raises:
            StepFailedError: the file is damaged or was deleted.
        """
        original = await find_source_file(self._database, saga)
        try:
            result = await self._tools.probe(open_source(self._store, original))
        except MediaRefusedError as refusal:
            if not has_media_suffix(original.name):
                return None
            raise StepFailedError(refusal.code, final=True) from refusal

        async def effect(tx: Transaction) -> None:
            await repository.save(tx, media_row(original.file_id, result))

        return effect

    async def compensate(self, saga: Saga) -> Effect:
        """Compensate: delete the result."""

        async def effect(tx: Transaction) -> None:
            await repository.delete_media(tx, saga.subject)

        return effect


def media_row(file_id: str, result: ProbeResult) -> Media:
    """Return the row that keeps a probe result."""
    return Media(
        file_id=file_id,
        container=result.container,
        width=result.width,
        height=result.height,
        duration_ms=result.duration_ms,
        video_codec=result.video_codec,
        audio_codec=result.audio_codec,
        probe_result=dump_result(result),
    )
