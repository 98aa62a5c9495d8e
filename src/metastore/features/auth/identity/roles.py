"""Roles and statuses of accounts."""

from enum import StrEnum


class Role(StrEnum):
    """The role of a user, which determines permissions."""

    USER = "USER"
    ADMIN = "ADMIN"


class Status(StrEnum):
    """The status of an account; a suspended user cannot sign in or make requests."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
