"""Search over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.fixtures.product import Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/search"


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Running]:
    """A running server with the embedded default adapters."""
    async with running(tmp_path / "data") as product:
        yield product


async def test_an_upload_is_found_by_its_owner_alone(product: Running) -> None:
    async with aclosing(await product.signed_in()) as anna, aclosing(await product.signed_in()) as ben:
        upload = {"files": {"file": ("Báo cáo.txt", b"hello")}, "data": {"path": "/Việc"}}
        file = (await anna.json_of("POST", "/api/v1/files/upload", 201, **upload))["file"]

        async def found() -> object:
            return (await anna.json_of("GET", API, params={"q": "bao cao"}))["items"]

        assert [{**file, "highlight": "<mark>Báo</mark> <mark>cáo</mark>.txt"}] == await eventually(found)
        assert {"items": [], "nextCursor": None} == await ben.json_of("GET", API, params={"q": "bao cao"})


async def test_search_requires_a_session(product: Running) -> None:
    async with product.client() as anonymous:
        assert "not-authenticated" == await anonymous.problem_of("GET", f"{API}?q=a", 401)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("q=%00", "validation-failed"),
        ("q=a&limit=0", "validation-failed"),
        ("q=a&type=gossip", "validation-failed"),
        ("q=a&from=yesterday", "validation-failed"),
        ("q=a&to=2026-13-01", "validation-failed"),
        ("q=a&cursor=rubbish", "invalid-cursor"),
    ],
)
async def test_invalid_queries_are_rejected(product: Running, query: str, code: str) -> None:
    async with aclosing(await product.signed_in()) as user:
        assert code == await user.problem_of("GET", f"{API}?{query}", 422)
