"""Facts that the media feature publishes."""

from typing import ClassVar

from metastore.kit.facts import Fact


class MediaDropped(Fact):
    """What was made of a file, or of a part of it, is no longer wanted, and the store was away: it is to be removed.

    ``renditions``: below each prefix the initialisation segment and so many segments, or less. ``object_keys``: more.
    """

    event_type: ClassVar[str] = "media.dropped"
    file_id: str
    renditions: dict[str, int]
    object_keys: list[str]

    def aggregate(self) -> str:
        """The file."""
        return f"file:{self.file_id}"
