"""The embedded store, behind its data plane, keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.entrypoints.objects import ObjectsApp
from tests.contracts.object_store import ObjectStoreContract
from tests.fixtures.serving import serving
from tests.fixtures.shelf import ORIGIN, Shelf


class TestLocalObjectStore(ObjectStoreContract):
    """See the contract."""

    @pytest.fixture
    async def shelf(self, tmp_path: Path) -> AsyncIterator[Shelf]:
        """A store in an empty folder, served on the loopback."""
        store = LocalObjectStore(tmp_path / "store", b"k" * 32)
        async with (
            serving(ObjectsApp(store, allowed_origins=[ORIGIN])) as address,
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client,
        ):
            yield Shelf(store, client)
        await store.aclose()

    @pytest.fixture
    async def twin(self, shelf: Shelf, tmp_path: Path) -> AsyncIterator[LocalObjectStore]:
        """Opened beside the one that writes."""
        store = LocalObjectStore(tmp_path / "store", b"k" * 32, read_only=True)
        yield store
        await store.aclose()
