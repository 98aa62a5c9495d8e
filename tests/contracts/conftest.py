"""Servers that contracts are kept against."""

from tests.fixtures.seaweedfs import seaweedfs

__all__ = ["seaweedfs"]
