"""What an account may be."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do."""

    USER = "USER"
    ADMIN = "ADMIN"


class Status(StrEnum):
    """Whether a user may do anything at all."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
