"""Build a product that never runs, to generate documents from it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from metastore.bootstrap import Product, build
from metastore.config import Settings


@asynccontextmanager
async def blueprint() -> AsyncIterator[Product]:
    """Build the product with its embedded backends in a temporary folder; close it at the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder),
            database_url="",
            storage_url="",
            broker_url="memory://",
            cache_url="memory://",
        )
        product = await build(settings)
        try:
            yield product
        finally:
            await product.aclose()
