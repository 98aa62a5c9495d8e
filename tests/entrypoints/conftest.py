"""The product with the embedded backends and small limits."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.fixtures.product import Client, Running, running

QUOTA = 100_000


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Running]:
    """The product with a quota of 100,000 bytes, parts of 1,000, files up to 50,000, simple uploads up to 5,000."""
    plans = json.loads(f'{{"FREE": {{"storageQuota": {QUOTA}}}}}')
    async with running(
        tmp_path / "data", part_size=1000, max_file_size=50_000, max_simple_upload_size=5000, plans=plans
    ) as product:
        yield product


@pytest.fixture
async def user(product: Running) -> AsyncIterator[Client]:
    """A client with the session of a new user."""
    async with aclosing(await product.signed_in()) as client:
        yield client
