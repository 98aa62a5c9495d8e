"""Fixtures of the upload tests."""

from tests.fixtures.user_drive import drive, store

__all__ = ["drive", "store"]
