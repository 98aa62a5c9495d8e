"""The served object store of the API process: the one that does not respond."""

from typing import NoReturn

from metastore.ports.object_store import StoreUnavailableError
from metastore.ports.served_objects import OpenObject, PartGrant, PartWriter, ReadGrant


class UnavailableStore:
    """A ``ServedObjectStore`` that is unavailable. It answers when the data plane process cannot."""

    def grant_put(self, path: str, query: bytes) -> PartGrant:
        """Raise ``StoreUnavailableError``."""
        _refuse()

    def grant_get(self, path: str, query: bytes) -> ReadGrant:
        """Raise ``StoreUnavailableError``."""
        _refuse()

    async def write_part(self, grant: PartGrant) -> PartWriter:
        """Raise ``StoreUnavailableError``."""
        _refuse()

    def opened(self, key: str) -> OpenObject | None:
        """Return ``None``."""
        return None

    async def open_object(self, key: str) -> OpenObject:
        """Raise ``StoreUnavailableError``."""
        _refuse()


def _refuse() -> NoReturn:
    raise StoreUnavailableError("the process of the data plane is not running")
