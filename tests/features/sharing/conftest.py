"""Fixtures of the tests of share links: a drive that is shared, on both databases, and for bytes on both stores."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from metastore import bootstrap
from metastore.config import load_settings
from metastore.entrypoints.serve import build_asgi
from tests.features.sharing.shared_drive import SharedDrive
from tests.fixtures.product import Running
from tests.fixtures.stored_films import film_renditions

__all__ = ["film_renditions"]


@pytest.fixture
async def drive(tmp_path: Path, database_url: str) -> AsyncIterator[SharedDrive]:
    """A drive on SQLite and on PostgreSQL."""
    async with _sharing(tmp_path, {"database_url": database_url}) as drive:
        yield drive


@asynccontextmanager
async def _sharing(folder: Path, options: Mapping[str, object]) -> AsyncIterator[SharedDrive]:
    settings = load_settings(data_dir=folder / "data", secret_key="k" * 40, **options)
    product = await bootstrap.build(settings)
    running = Running(product, httpx.ASGITransport(build_asgi(product), raise_app_exceptions=False))
    owner = await running.signed_in("vera")
    drive = SharedDrive(running, owner, (await owner.json_of("GET", "/api/v1/auth/me"))["user"]["id"])
    try:
        yield drive
    finally:
        for client in (owner, *drive.visitors):
            await client.aclose()
        await product.aclose()
