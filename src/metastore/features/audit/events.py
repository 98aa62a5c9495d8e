"""Facts that only the audit trail is interested in."""

from typing import ClassVar

from metastore.kit.facts import Fact


class AccessRefused(Fact):
    """Somebody asked for what is not theirs and was refused; ``user_id`` is ``None`` for strangers."""

    event_type: ClassVar[str] = "access.refused"
    method: str
    path: str
    code: str
    user_id: str | None

    def aggregate(self) -> str:
        """The user who tried."""
        return f"user:{self.user_id or 'unknown'}"
