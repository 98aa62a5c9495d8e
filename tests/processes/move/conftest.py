"""The fixtures ``drive`` and ``store``."""

from tests.fixtures.user_drive import drive, store

__all__ = ["drive", "store"]
