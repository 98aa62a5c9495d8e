"""The S3 store keeps the contract, against a real SeaweedFS."""

from collections.abc import AsyncIterator

import httpx
import pytest

from metastore.adapters.object_store.s3 import S3ObjectStore
from tests.contracts.object_store import ObjectStoreContract
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.shelf import ORIGIN, Shelf


class TestS3ObjectStore(ObjectStoreContract):
    """See the contract."""

    @pytest.fixture
    async def shelf(self, seaweedfs: S3Server) -> AsyncIterator[Shelf]:
        """A store in a bucket that all the tests share."""
        store = await S3ObjectStore.open(
            bucket="metastore-tests",
            endpoint=seaweedfs.endpoint,
            access_key_id=seaweedfs.access_key,
            secret_access_key=seaweedfs.secret_key,
            allowed_origins=[ORIGIN],
        )
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            yield Shelf(store, client)
        await store.aclose()
