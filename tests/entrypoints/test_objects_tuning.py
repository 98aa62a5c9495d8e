"""Tuning changes speed alone."""

import asyncio
from pathlib import Path

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.entrypoints.objects import ObjectsApp
from metastore.entrypoints.objects.tuning import RUNTIME_THREADS, http1_settings, keep_freed_memory
from metastore.ports.object_store import UploadTarget
from tests.fixtures.ports import free_port
from tests.fixtures.waiting import eventually


async def test_a_tuned_server_takes_parts_as_any_other(tmp_path: Path) -> None:
    """Large pieces, two threads, and an allocator that keeps what it has."""
    keep_freed_memory()
    store = LocalObjectStore(tmp_path / "store", b"k" * 32)
    port = free_port()
    server = Server(
        ObjectsApp(store),
        port=port,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        http1_settings=http1_settings(),
        runtime_threads=RUNTIME_THREADS,
    )
    running = asyncio.create_task(server.serve())
    size = 12_000_000
    upload_id = await store.create_multipart("files/abc", size=size, part_size=size, content_type="a/b")
    target = UploadTarget("files/abc", upload_id, size, size)
    [url] = await store.presign_parts(target, [1], expires_in=60)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        async def sent() -> bool:
            try:
                return (await client.put(url, content=bytes(size))).is_success
            except httpx.ConnectError:
                return False

        await eventually(sent, why="the part is taken")
    assert [size] == [part.size for part in await store.list_parts(target)]
    server.stop()  # type: ignore[no-untyped-call]  # Granian leaves it untyped
    await running
    await store.aclose()
