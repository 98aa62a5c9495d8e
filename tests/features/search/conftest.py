"""Fixtures of the search tests."""

from tests.features.files.conftest import tree

__all__ = ["tree"]
