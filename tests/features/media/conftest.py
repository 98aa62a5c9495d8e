"""Fixtures of the media tests."""

from tests.fixtures.media_pipeline import pipeline
from tests.fixtures.user_drive import drive, store

__all__ = ["drive", "pipeline", "store"]
