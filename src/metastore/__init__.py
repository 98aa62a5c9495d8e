"""MetaStore: a self-hosted cloud drive."""

__version__ = "0.1.0"
