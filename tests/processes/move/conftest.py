"""Fixtures for these tests."""

from tests.fixtures.drive import drive, store

__all__ = ["drive", "store"]
