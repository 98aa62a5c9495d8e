"""Upload size and lifetime limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_COMPLETING_LEASE = timedelta(seconds=60)
_SHORTEST_LEASE = timedelta(seconds=5)
_WHOLE_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Sizes are in bytes, durations in seconds."""

    part_size: int
    max_file_size: int
    upload_ttl: int
    presign_ttl: int

    @property
    def completing_lease(self) -> timedelta:
        """The time after which the process of an unfinished completion is assumed to be dead.

        The store responds within 30 seconds. If uploads expire sooner than a minute, the lease is as short as their
        lifetime, but at least 5 seconds.
        """
        return min(_COMPLETING_LEASE, max(_SHORTEST_LEASE, timedelta(seconds=self.upload_ttl)))

    @property
    def whole_within(self) -> timedelta:
        """The time after which the process that stores whole files is assumed to be dead.

        If uploads expire sooner than five minutes, it is as short as their lifetime, but at least 5 seconds.
        """
        return min(_WHOLE_WITHIN, max(_SHORTEST_LEASE, timedelta(seconds=self.upload_ttl)))

    def usable_until(self, expires_at: datetime, now: datetime) -> datetime:
        """Return when part URLs that are presigned now expire, for an upload that expires at ``expires_at``."""
        return min(expires_at, now + timedelta(seconds=self.presign_ttl))
