"""On PostgreSQL and S3, a worker dies or hangs while processing a film, and another one takes over."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from metastore.bootstrap import Product, build
from metastore.config import load_settings
from tests.fixtures.killable_renderer import LEASE, SEGMENTS, worker
from tests.fixtures.media_fakes import FakeTranscoder
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.waiting import eventually
from tests.reliability.product_launch import s3_settings
from tests.reliability.renditions import add_film, assert_whole, numbers, status_of


@pytest.fixture
def settings(database_url: str, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the settings into the environment, for this process and its children."""
    values = s3_settings(seaweedfs, bucket=f"taken-over-{random.randint(0, 10**9)}")
    values |= {"DATABASE_URL": database_url, "SECRET_KEY": "k" * 40}
    for name, value in values.items():
        monkeypatch.setenv(f"METASTORE_{name}", value)


@pytest.fixture
async def product(settings: None) -> AsyncIterator[Product]:
    product = await build(load_settings(), serves_sockets=False)
    yield product
    await product.aclose()


@asynccontextmanager
async def renderer(seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker in a subprocess that takes that many seconds for a segment."""
    command = [sys.executable, "-m", "tests.fixtures.killable_renderer", str(seconds)]
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig=KILL", "--", *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
async def test_another_worker_resumes_where_the_first_stopped(product: Product, sent: signal.Signals) -> None:
    """If the first was only suspended, it changes nothing when it continues."""
    file_id = await add_film(product)
    async with renderer(0.1) as first:

        async def has_started() -> bool:
            return len((await numbers(product)).get("v480", [])) >= 3

        await eventually(has_started, interval=0.05)
        os.kill(first.pid, sent)
        before = len((await numbers(product))["v360"])
        transcoder = FakeTranscoder(segments=SEGMENTS)
        second = worker(product, transcoder)

        async def is_ready() -> bool:
            await second.run_due()
            return await status_of(product, file_id) == "READY"

        await eventually(is_ready, timeout=4 * LEASE + 20, interval=0.1)
        assert [before] == [job.first for job in transcoder.jobs]
        await assert_whole(product)
        if sent == signal.SIGSTOP:
            os.kill(first.pid, signal.SIGCONT)
            assert first.stdout is not None
            output = await asyncio.wait_for(first.stdout.read(), 60)
            assert output.endswith(b"done\n"), output
            await assert_whole(product)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_packaging_restarts_after_its_worker_is_killed(product: Product) -> None:
    """It makes all its renditions in one pass: the next attempt starts from the beginning and leaves nothing unused."""
    file_id = await add_film(product)
    async with renderer(0.1) as first:

        async def has_started() -> bool:
            return len((await numbers(product)).get("v720", [])) >= 3

        await eventually(has_started, interval=0.02)
        first.kill()
        assert (await numbers(product)).keys() <= {"v720", "a0"}, "packaging was finished before the kill"
        transcoder = FakeTranscoder(segments=SEGMENTS)
        second = worker(product, transcoder)

        async def is_ready() -> bool:
            await second.run_due()
            return await status_of(product, file_id) == "READY"

        await eventually(is_ready, timeout=4 * LEASE + 20, interval=0.1)
        assert ["v720", None] == [job.copied_video for job in transcoder.jobs]
        await assert_whole(product)
