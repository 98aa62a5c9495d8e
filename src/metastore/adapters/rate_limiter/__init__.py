"""Adapters of ``ports.rate_limiter``: ``memory``."""
