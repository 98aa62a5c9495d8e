"""Fixtures of the media tests."""

from tests.fixtures.drive import drive, store
from tests.fixtures.house import house

__all__ = ["drive", "house", "store"]
