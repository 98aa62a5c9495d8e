"""Contract tests of the S3 store, against a SeaweedFS server."""

import os
from collections.abc import AsyncIterator

import httpx
import pytest

from metastore.adapters.object_store.s3 import S3ObjectStore
from tests.contracts.object_store import ObjectStoreContract
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.store_client import ORIGIN, StoreClient


class TestS3ObjectStore(ObjectStoreContract):
    """See the contract."""

    @pytest.fixture
    async def store_client(self, seaweedfs: S3Server) -> AsyncIterator[StoreClient]:
        """A store in a bucket that all tests share."""
        store = await _open(seaweedfs)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            yield StoreClient(store, client)
        await store.aclose()

    @pytest.fixture
    async def second_store(self, seaweedfs: S3Server) -> AsyncIterator[S3ObjectStore]:
        """Another connection to the same bucket."""
        store = await _open(seaweedfs)
        yield store
        await store.aclose()


async def _open(server: S3Server) -> S3ObjectStore:
    return await S3ObjectStore.open(
        bucket=f"metastore-tests-{os.getpid()}",
        endpoint=server.endpoint,
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        allowed_origins=[ORIGIN],
    )
