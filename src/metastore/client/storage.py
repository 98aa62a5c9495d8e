"""Connections to the object store, for parts and downloads."""

import httpx

# The store responds once a part is on disk, which may take a while on a busy server.
_TIMEOUT = httpx.Timeout(120, connect=10)


def storage_client(parallel: int) -> httpx.AsyncClient:
    """Return an HTTP client without cookies for ``parallel`` concurrent transfers."""
    limits = httpx.Limits(max_connections=parallel + 1, max_keepalive_connections=parallel + 1)
    return httpx.AsyncClient(timeout=_TIMEOUT, limits=limits)
