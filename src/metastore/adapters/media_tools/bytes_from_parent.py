"""The bytes to look into."""

from metastore.adapters.sandbox.source_bytes import ParentBytes

__all__ = ["ParentBytes"]
