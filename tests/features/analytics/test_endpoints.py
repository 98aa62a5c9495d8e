"""Analytics over HTTP, for admins only."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import update

from metastore.features.auth.models import User
from tests.fixtures.product import Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/admin/analytics"


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Running]:
    """A running server with the embedded default adapters."""
    async with running(tmp_path / "data") as product:
        yield product


async def test_usage_is_counted(product: Running) -> None:
    async with aclosing(await product.signed_in("root-user")) as admin, aclosing(await product.signed_in()) as user:
        async with product.product.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.username == "root-user").values(role="ADMIN"))
        upload = {"files": {"file": ("notes.txt", b"hello")}, "data": {"path": "/"}}
        await user.json_of("POST", "/api/v1/files/upload", 201, **upload)

        async def everything_is_counted() -> bool:
            totals = (await admin.json_of("GET", API))["totals"]
            counted = [totals[name] for name in ("uploads", "uploadedBytes", "signIns", "newUsers")]
            return counted == [1, 5, 2, 2]

        assert await eventually(everything_is_counted)
        assert "admin-required" == await user.problem_of("GET", API, 403)
        assert "validation-failed" == await admin.problem_of("GET", f"{API}?from=2026-02-02&to=2026-02-01", 422)
        assert "validation-failed" == await admin.problem_of("GET", f"{API}?from=x", 422)


async def test_analytics_require_an_admin(product: Running) -> None:
    async with product.client() as anonymous:
        assert "not-authenticated" == await anonymous.problem_of("GET", API, 401)
