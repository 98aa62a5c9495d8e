"""When a dependency fails and recovers while renditions are made, no file fails and no segment is lost."""

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
from tests.reliability.renditions import add_film, assert_whole, status_of

MIB = 2**20
COPIED, ENCODED = "v720", "v480"
"""A rendition that ``package`` makes, and one that ``transcode`` makes."""

Configure = Callable[..., None]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """A function that puts settings into the environment of products and subprocesses."""

    def set_all(**settings: str) -> None:
        for name, value in {"DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "k" * 40, **settings}.items():
            monkeypatch.setenv(f"METASTORE_{name}", value)

    return set_all


@asynccontextmanager
async def running_product() -> AsyncIterator[Product]:
    product = await build(load_settings(), serves_sockets=False)
    try:
        yield product
    finally:
        await product.aclose()


@asynccontextmanager
async def running_runner(runner: SagaRunner) -> AsyncIterator[None]:
    running = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Pause:
    """Pauses a transcoder before the fourth segment of a rendition until ``resume`` is set."""

    def __init__(self, rendition: str) -> None:
        self._at = (rendition, 3)
        self.reached, self.resume = asyncio.Event(), asyncio.Event()

    def __call__(self, name: str, number: int) -> "asyncio.Future[None] | None":
        """Return what to wait for before segment ``number``, or ``None``."""
        return asyncio.ensure_future(self._wait()) if (name, number) == self._at else None

    async def _wait(self) -> None:
        self.reached.set()
        await self.resume.wait()


async def fail_job(transcoder: FakeTranscoder, pause: Pause) -> None:
    """Resume the paused job and wait until it has failed."""
    closed = transcoder.closed
    pause.resume.set()
    await eventually(lambda: transcoder.closed > closed, why="the job has failed")


async def is_ready(product: Product, file_id: str) -> bool:
    status = await status_of(product, file_id)
    assert status != "FAILED"
    return status == "READY"


@contextmanager
def cut(proxy: TcpProxy) -> Iterator[None]:
    """Hold all traffic and cut every connection during the block."""

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
async def test_processing_resumes_after_an_outage_of_the_store(
    configure: Configure, seaweedfs: S3Server, database_url: str, step: str
) -> None:
    async with proxy_to(int(seaweedfs.endpoint.rpartition(":")[2])) as proxy:
        by_proxy = replace(seaweedfs, endpoint=f"http://127.0.0.1:{proxy.port}")
        configure(DATABASE_URL=database_url, **s3_settings(by_proxy, bucket=f"faults-{os.getpid()}-{step}"))
        pause = Pause(step)
        async with running_product() as product:
            transcoder = FakeTranscoder(segments=SEGMENTS, before=pause)
            file_id = await add_film(product)
            async with running_runner(worker(product, transcoder)):
                await asyncio.wait_for(pause.reached.wait(), 60)
                with cut(proxy):
                    await fail_job(transcoder, pause)
                await eventually(lambda: is_ready(product, file_id), interval=0.1)
            await assert_whole(product)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_processing_resumes_after_an_outage_of_the_database(
    configure: Configure, postgres: Postgres, database_url: str
) -> None:
    async with proxy_to(postgres.port) as proxy:
        configure(DATABASE_URL=database_url.replace(f":{postgres.port}/", f":{proxy.port}/"))
        pause = Pause(ENCODED)
        async with running_product() as product:
            transcoder = FakeTranscoder(segments=SEGMENTS, before=pause)
            file_id = await add_film(product)
            async with running_runner(worker(product, transcoder)):
                await asyncio.wait_for(pause.reached.wait(), 60)
                with cut(proxy):
                    await fail_job(transcoder, pause)
                await eventually(lambda: is_ready(product, file_id), interval=0.1)
            await assert_whole(product)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_processing_resumes_when_a_full_disk_has_room_again(configure: Configure, database_url: str) -> None:
    configure(DATABASE_URL=database_url)
    segments, pause = 5, Pause(ENCODED)
    async with running_product() as product:
        transcoder = FakeTranscoder(segments=segments, size=9 * MIB, before=pause)
        file_id = await add_film(product)
        async with running_runner(worker(product, transcoder)):
            await asyncio.wait_for(pause.reached.wait(), 60)
            with files_limited_to(8 * MIB):
                await fail_job(transcoder, pause)
                assert "PROCESSING" == await status_of(product, file_id)
            await eventually(lambda: is_ready(product, file_id), interval=0.1)
        await assert_whole(product, segments)
