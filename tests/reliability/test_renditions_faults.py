"""Dependencies fail and recover while renditions are made; nothing is lost and no file fails."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from metastore.bootstrap import Product, build
from metastore.config import load_settings
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.full_device import files_limited_to
from tests.fixtures.killable_renderer import SEGMENTS, worker
from tests.fixtures.media_fakes import FakeTranscoder
from tests.fixtures.postgres import Postgres
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.tcp_proxy import TcpProxy, proxy_to
from tests.fixtures.waiting import eventually
from tests.reliability.product_launch import s3_settings
from tests.reliability.renditions import a_film, assert_whole, status_of

MIB = 2**20
COPIED, ENCODED = "v720", "v480"
"""The renditions that ``package`` makes, and those that ``transcode`` makes."""

Configure = Callable[..., None]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Sets the environment of products and subprocesses."""

    def set_all(**settings: str) -> None:
        for name, value in {"DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "k" * 40, **settings}.items():
            monkeypatch.setenv(f"METASTORE_{name}", value)

    return set_all


@asynccontextmanager
async def a_product() -> AsyncIterator[Product]:
    product = await build(load_settings(), serves_sockets=False)
    try:
        yield product
    finally:
        await product.aclose()


@asynccontextmanager
async def at_work(runner: SagaRunner) -> AsyncIterator[None]:
    running = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Halt:
    """Pauses before the fourth segment of a rendition until it is released."""

    def __init__(self, rendition: str) -> None:
        self._at = (rendition, 3)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def __call__(self, name: str, number: int) -> "asyncio.Future[None] | None":
        """Before a segment."""
        return asyncio.ensure_future(self._wait()) if (name, number) == self._at else None

    async def _wait(self) -> None:
        self.reached.set()
        await self.go_on.wait()


async def meets_the_fault(transcoder: FakeTranscoder, halt: Halt) -> None:
    """Continue until the running job has failed."""
    closed = transcoder.closed
    halt.go_on.set()
    await eventually(lambda: transcoder.closed > closed, why="it has met the fault")


async def is_ready(product: Product, file_id: str) -> bool:
    status = await status_of(product, file_id)
    assert status != "FAILED"
    return status == "READY"


@contextmanager
def cut(proxy: TcpProxy) -> Iterator[None]:
    """Swallow all traffic during the block and then drop every connection."""

    async def keep_cutting() -> None:
        while True:
            proxy.drop_connections()
            await asyncio.sleep(0.2)

    proxy.blackhole = True
    cutting = asyncio.create_task(keep_cutting())
    try:
        yield
    finally:
        cutting.cancel()
        proxy.blackhole = False
        proxy.drop_connections()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", [COPIED, ENCODED])
async def test_a_film_is_gone_on_with_when_the_store_is_back(
    configure: Configure, seaweedfs: S3Server, database_url: str, step: str
) -> None:
    async with proxy_to(int(seaweedfs.endpoint.rpartition(":")[2])) as proxy:
        by_proxy = replace(seaweedfs, endpoint=f"http://127.0.0.1:{proxy.port}")
        configure(DATABASE_URL=database_url, **s3_settings(by_proxy, bucket=f"faults-{os.getpid()}-{step}"))
        halt = Halt(step)
        async with a_product() as product:
            transcoder = FakeTranscoder(segments=SEGMENTS, before=halt)
            file_id = await a_film(product)
            async with at_work(worker(product, transcoder)):
                await asyncio.wait_for(halt.reached.wait(), 60)
                with cut(proxy):
                    await meets_the_fault(transcoder, halt)
                await eventually(lambda: is_ready(product, file_id), interval=0.1)
            await assert_whole(product)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_film_is_gone_on_with_when_the_database_is_back(
    configure: Configure, postgres: Postgres, database_url: str
) -> None:
    async with proxy_to(postgres.port) as proxy:
        configure(DATABASE_URL=database_url.replace(f":{postgres.port}/", f":{proxy.port}/"))
        halt = Halt(ENCODED)
        async with a_product() as product:
            transcoder = FakeTranscoder(segments=SEGMENTS, before=halt)
            file_id = await a_film(product)
            async with at_work(worker(product, transcoder)):
                await asyncio.wait_for(halt.reached.wait(), 60)
                with cut(proxy):
                    await meets_the_fault(transcoder, halt)
                await eventually(lambda: is_ready(product, file_id), interval=0.1)
            await assert_whole(product)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_film_is_gone_on_with_when_the_disk_has_room_again(configure: Configure, database_url: str) -> None:
    configure(DATABASE_URL=database_url)
    segments, halt = 5, Halt(ENCODED)
    async with a_product() as product:
        transcoder = FakeTranscoder(segments=segments, size=9 * MIB, before=halt)
        file_id = await a_film(product)
        async with at_work(worker(product, transcoder)):
            await asyncio.wait_for(halt.reached.wait(), 60)
            with files_limited_to(8 * MIB):
                await meets_the_fault(transcoder, halt)
                assert "PROCESSING" == await status_of(product, file_id)
            await eventually(lambda: is_ready(product, file_id), interval=0.1)
        await assert_whole(product, segments)
