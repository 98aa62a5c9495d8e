"""Events published by the media feature."""

from typing import ClassVar

from metastore.kit.events.event import Event


class MediaDropped(Event):
    """Derived objects of a file are obsolete but could not be deleted during an outage of the object store.

    ``renditions`` maps key prefixes to numbers of segments: below each prefix there may be an init segment and up to
    that many segments. ``object_keys`` lists further objects.
    """

    event_type: ClassVar[str] = "media.dropped"
    file_id: str
    renditions: dict[str, int]
    object_keys: list[str]

    def aggregate(self) -> str:
        """The file."""
        return f"file:{self.file_id}"
