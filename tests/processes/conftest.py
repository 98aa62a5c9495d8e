"""Fixtures for these tests."""

from tests.fixtures.user_drive import drive, store

__all__ = ["drive", "store"]
