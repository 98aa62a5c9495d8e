"""Contract tests of the embedded store, through its data plane."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.entrypoints.data_plane.unavailable_store import UnavailableStore
from metastore.entrypoints.objects import ObjectsApp
from tests.contracts.object_store import ObjectStoreContract
from tests.fixtures.data_plane import running_data_plane_process
from tests.fixtures.http_server import serving
from tests.fixtures.store_client import ORIGIN, StoreClient


class TestLocalObjectStore(ObjectStoreContract):
    """See the contract."""

    @pytest.fixture
    async def store_client(self, tmp_path: Path) -> AsyncIterator[StoreClient]:
        """A store in an empty folder, served on the loopback interface."""
        store = LocalObjectStore(tmp_path / "store", b"k" * 32)
        async with (
            serving(ObjectsApp(store, allowed_origins=[ORIGIN])) as address,
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client,
        ):
            yield StoreClient(store, client)
        await store.aclose()

    @pytest.fixture
    async def second_store(self, store_client: StoreClient, tmp_path: Path) -> AsyncIterator[LocalObjectStore]:
        """The store, opened read-only beside the one that writes."""
        store = LocalObjectStore(tmp_path / "store", b"k" * 32, read_only=True)
        yield store
        await store.aclose()


class TestLocalObjectStoreWithADataPlaneProcess(ObjectStoreContract):
    """The store of the API process. Another process serves the data plane on the same port."""

    @pytest.fixture
    async def store_client(self, tmp_path: Path) -> AsyncIterator[StoreClient]:
        """A store in an empty folder, and the process of its data plane."""
        async with (
            running_data_plane_process(tmp_path / "store", origins=[ORIGIN]) as (link, store),
            serving(ObjectsApp(UnavailableStore()), neighbour=link) as address,
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client,
        ):
            yield StoreClient(store, client)

    @pytest.fixture
    async def second_store(self, store_client: StoreClient, tmp_path: Path) -> AsyncIterator[LocalObjectStore]:
        """The store, opened read-only beside the processes that write."""
        store = LocalObjectStore(tmp_path / "store", b"k" * 32, read_only=True)
        yield store
        await store.aclose()
