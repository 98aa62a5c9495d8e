"""An empty tree on each kind of database."""

from tests.features.files.conftest import tree

__all__ = ["tree"]
