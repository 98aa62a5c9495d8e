"""The step ``probe``: what is in a file."""

from metastore.features.files.content_type import is_named_media
from metastore.features.media import repository
from metastore.features.media.facts import as_json
from metastore.features.media.models import Media
from metastore.features.media.originals import original_of, source_of
from metastore.kit.database import Database, Transaction
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Effect, Outcome, Report, StepFailedError
from metastore.ports.media_tools import MediaFacts, MediaRefusedError, MediaTools
from metastore.ports.object_store import ObjectStore


class Probing:
    """Looks into files."""

    def __init__(self, database: Database, store: ObjectStore, tools: MediaTools) -> None:
        self._database = database
        self._store = store
        self._tools = tools

    async def probe(self, saga: Saga, report: Report) -> Outcome:
        """Find out what is in the file.

        Nothing is noted of what only began like media, and is not called so either.

        Raises:
            StepFailedError: it is damaged.
        """
        original = await original_of(self._database, saga)
        try:
            facts = await self._tools.probe(source_of(self._store, original))
        except MediaRefusedError as refusal:
            if not is_named_media(original.name):
                return None
            raise StepFailedError(refusal.code, final=True) from refusal

        async def effect(tx: Transaction) -> None:
            await repository.save(tx, media_of(original.file_id, facts))

        return effect

    async def forget(self, saga: Saga) -> Effect:
        """Take ``probe`` back."""

        async def effect(tx: Transaction) -> None:
            await repository.forget(tx, saga.subject)

        return effect


def media_of(file_id: str, facts: MediaFacts) -> Media:
    """The row that keeps them."""
    return Media(
        file_id=file_id,
        container=facts.container,
        width=facts.width,
        height=facts.height,
        duration_ms=facts.duration_ms,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        facts=as_json(facts),
    )
