"""Routers that are skipped for paths which are not theirs."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from metastore.kit.api.router import PrefixRouter


async def _name_of(path: str) -> str:
    files, others = PrefixRouter(prefix="/api"), PrefixRouter(prefix="/api")
    nested = APIRouter()

    @files.get("/files/{file_id}")
    async def get_file(file_id: str) -> str:
        return f"file {file_id}"

    @files.get("/trash")
    async def get_trash() -> str:
        return "trash"

    @nested.get("/nested/{name}")
    async def get_nested(name: str) -> str:
        return f"nested {name}"

    @others.get("/files/{file_id}/download")
    async def download(file_id: str) -> str:
        return f"download {file_id}"

    @others.get("/{anything}")
    async def other(anything: str) -> str:
        return f"other {anything}"

    files.include_router(nested)
    app = FastAPI()
    app.include_router(files)
    app.include_router(others)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a.test") as client:
        response = await client.get(path)
        return str(response.json()) if response.status_code == 200 else str(response.status_code)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/files/1", "file 1"),
        ("/api/files/1/download", "download 1"),
        ("/api/trash", "trash"),
        ("/api/nested/a", "nested a"),
        ("/api/trashes", "other trashes"),
        ("/api", "404"),
        ("/elsewhere", "404"),
    ],
)
async def test_the_route_is_the_one_that_fastapi_finds(path: str, found: str) -> None:
    assert await _name_of(path) == found


async def test_a_route_added_later_is_found() -> None:
    router = PrefixRouter(prefix="/api")
    app = FastAPI()
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a.test") as client:
        assert (await client.get("/api/later")).status_code == 404

        @router.get("/later")
        async def later() -> str:
            return "later"

        assert (await client.get("/api/later")).json() == "later"
