"""The state of a file's renditions: which ones it should have, and how much of them exists."""

from dataclasses import dataclass

from metastore.features.media import repository
from metastore.features.media.models import AUDIO, DONE, VIDEO, Rendition
from metastore.features.media.probe.results import load_result
from metastore.features.media.renditions.ladder import Ladder, ladder
from metastore.features.media.repository import Extent
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.ports.media_tools import ProbeResult
from metastore.ports.transcoder import VideoRendition

MIN_RUNGS_WITH_LEAD = 2
_NOT_PROBED = ProbeResult("")


@dataclass(frozen=True, slots=True)
class RenditionState:
    """The probe result and the ladder of a file; its renditions by name, and their extents by ID."""

    file_id: str
    probed: ProbeResult
    ladder: Ladder
    renditions: dict[str, Rendition]
    extents: dict[str, Extent]

    @property
    def done(self) -> set[str]:
        """The names of the finished renditions."""
        return {name for name, rendition in self.renditions.items() if rendition.state == DONE}

    @property
    def unfinished_rungs(self) -> list[VideoRendition]:
        """The rungs that are yet to be encoded."""
        done = self.done
        return [rung for rung in self.ladder.rungs if rung.name not in done]

    @property
    def lead(self) -> VideoRendition | None:
        """The rung whose first segment is made before the others, so that the file is soon playable.

        It is the smallest one. ``None`` if some video can be played already, or if all rungs are made at once anyway.
        """
        rungs = self.ladder.rungs
        if self.ladder.copied is not None or len(rungs) < MIN_RUNGS_WITH_LEAD:
            return None
        return None if any(self.extent(rung.name).count for rung in rungs) else rungs[-1]

    @property
    def is_packaged(self) -> bool:
        """Whether the remuxed video and all audio renditions are finished, or there are none."""
        done = self.done
        return self.ladder.copied in (None, *done) and all(track.name in done for track in self.ladder.audio)

    def extent(self, name: str) -> Extent:
        """Return the extent of a rendition; an empty one if it does not exist yet."""
        rendition = self.renditions.get(name)
        return self.extents[rendition.id] if rendition else Extent()


async def load_state(database: Database, file_id: str) -> RenditionState:
    """Load the state of a file's renditions; the ladder of a file that was not probed is empty."""
    async with database.reading() as tx:
        media = await repository.find(tx, file_id)
        renditions = {rendition.name: rendition for rendition in await repository.renditions_of(tx, file_id)}
        extents = await repository.extents_of(tx, [rendition.id for rendition in renditions.values()])
    probed = (load_result(media) if media else None) or _NOT_PROBED
    return RenditionState(file_id, probed, ladder(probed), renditions, extents)


async def has_renditions(database: Database, file_id: str) -> bool:
    """Return whether a file should have renditions; it takes one query."""
    async with database.reading() as tx:
        media = await repository.find(tx, file_id)
    probed = load_result(media) if media else None
    return probed is not None and not ladder(probed).is_empty


def required_kinds(plan: Ladder) -> set[str]:
    """Return the kinds of renditions that a file needs before it can be played."""
    return {kind for kind, is_required in ((VIDEO, plan.has_video), (AUDIO, bool(plan.audio))) if is_required}


async def is_playable(tx: Transaction, file_id: str, plan: Ladder) -> bool:
    """Return whether there are segments of each required kind."""
    required = required_kinds(plan)
    return bool(required) and required <= await repository.playable_kinds(tx, file_id)
