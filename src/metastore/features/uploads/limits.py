"""How large, and how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_COMPLETING_LEASE = timedelta(seconds=60)
_SHORTEST_LEASE = timedelta(seconds=5)
WHOLE_WITHIN = timedelta(minutes=5)
"""A small file that took longer to be stored lost its process."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Sizes in bytes, durations in seconds."""

    part_size: int
    max_file_size: int
    upload_ttl: int
    presign_ttl: int

    @property
    def completing_lease(self) -> timedelta:
        """A completing older than this lost its process; the store answers within 30 seconds.

        Where uploads are given less time than that, so that soon nothing may be left of any, it is as long.
        """
        return min(_COMPLETING_LEASE, max(_SHORTEST_LEASE, timedelta(seconds=self.upload_ttl)))

    def usable_until(self, expires_at: datetime, now: datetime) -> datetime:
        """How long URLs that are made now can be used for an upload that ends at ``expires_at``."""
        return min(expires_at, now + timedelta(seconds=self.presign_ttl))
