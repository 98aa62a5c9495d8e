"""How far a file's renditions have come."""

from dataclasses import dataclass

from metastore.features.media import repository
from metastore.features.media.facts import facts_of
from metastore.features.media.ladder import Ladder, ladder
from metastore.features.media.models import AUDIO, DONE, VIDEO, Rendition
from metastore.features.media.repository import Extent
from metastore.kit.database import Database, Transaction
from metastore.ports.media_tools import MediaFacts
from metastore.ports.transcoder import VideoRendition

NOTHING = MediaFacts("")


@dataclass(frozen=True, slots=True)
class State:
    """What there is of a file's renditions, by name, and what there is to be."""

    file_id: str
    facts: MediaFacts
    ladder: Ladder
    renditions: dict[str, Rendition]
    extents: dict[str, Extent]

    @property
    def done(self) -> set[str]:
        """The names of the renditions that are whole."""
        return {name for name, rendition in self.renditions.items() if rendition.state == DONE}

    @property
    def rungs_left(self) -> list[VideoRendition]:
        """The sizes that are still to be encoded."""
        done = self.done
        return [rung for rung in self.ladder.rungs if rung.name not in done]

    def extent(self, name: str) -> Extent:
        """How far that rendition is; one that was not begun is nowhere."""
        rendition = self.renditions.get(name)
        return self.extents[rendition.id] if rendition else Extent()


async def state_of(database: Database, file_id: str) -> State:
    """How things are; of a file of which nothing is known, nothing is to be made."""
    async with database.reading() as tx:
        media = await repository.find(tx, file_id)
        renditions = {rendition.name: rendition for rendition in await repository.renditions_of(tx, file_id)}
        extents = await repository.extents_of(tx, [rendition.id for rendition in renditions.values()])
    facts = (facts_of(media) if media else None) or NOTHING
    return State(file_id, facts, ladder(facts), renditions, extents)


def kinds_needed(plan: Ladder) -> set[str]:
    """Of which kinds there must be something before a film or sound can be played."""
    return {kind for kind, wanted in ((VIDEO, plan.has_picture), (AUDIO, bool(plan.audio))) if wanted}


async def is_playable(tx: Transaction, file_id: str, plan: Ladder) -> bool:
    """Whether there is something of each kind."""
    needed = kinds_needed(plan)
    return bool(needed) and needed <= await repository.kinds_begun(tx, file_id)
