"""Of many workers on PostgreSQL and S3, one dies or stops in the middle of a film; another goes on with it."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from metastore.bootstrap import Product, build
from metastore.config import load_settings
from metastore.features.files.models import Node
from metastore.features.media.models import MediaSegment, Rendition, init_key, segment_key
from metastore.features.uploads.whole import WholeUploads
from tests.fixtures.accounts import add_user
from tests.fixtures.drive import wanted
from tests.fixtures.house import PICTURE
from tests.fixtures.media_fakes import FakeTranscoder
from tests.fixtures.rendering_victim import LEASE, SEGMENTS, worker
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.waiting import eventually
from tests.reliability.launching import s3_settings


@pytest.fixture
def settings(database_url: str, seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, for this process and its children."""
    about = s3_settings(seaweedfs, bucket=f"taken-over-{random.randint(0, 10**9)}")
    about |= {"DATABASE_URL": database_url, "SECRET_KEY": "k" * 40}
    for name, value in about.items():
        monkeypatch.setenv(f"METASTORE_{name}", value)


@pytest.fixture
async def product(settings: None) -> AsyncIterator[Product]:
    product = await build(load_settings(), serves_sockets=False)
    yield product
    await product.aclose()


@asynccontextmanager
async def victim(seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, which takes that long for a segment."""
    command = [sys.executable, "-m", "tests.fixtures.rendering_victim", str(seconds)]
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig=KILL", "--", *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def a_film(product: Product) -> str:
    """A film that is due to be processed; its id."""
    owner = await add_user(product.database)

    async def once() -> AsyncIterator[bytes]:
        yield PICTURE

    whole = product.services.get(WholeUploads)
    return (await whole.store(owner, wanted(name="film.jpg", size=len(PICTURE)), once())).id


async def numbers(product: Product) -> dict[str, list[int]]:
    async with product.database.reading() as tx:
        rows = await tx.session.execute(
            select(Rendition.name, MediaSegment.number).join(MediaSegment, MediaSegment.rendition_id == Rendition.id)
        )
    found: dict[str, list[int]] = {}
    for name, number in rows:
        found.setdefault(name, []).append(number)
    return {name: sorted(found[name]) for name in sorted(found)}


async def is_whole(product: Product) -> None:
    """Every object that a row tells of is there, and no other."""
    async with product.database.reading() as tx:
        prefixes = list(await tx.session.scalars(select(Rendition.key_prefix)))
    expected = {segment_key(prefix, number) for prefix in prefixes for number in range(SEGMENTS)}
    expected |= {init_key(prefix) for prefix in prefixes}
    stored = {stored.key async for stored in product.store.list_objects("files/")}
    assert expected == {key for key in stored if "/hls/" in key}
    assert {name: list(range(SEGMENTS)) for name in ("a0", "v360", "v480", "v720")} == await numbers(product)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
async def test_another_goes_on_where_the_first_was(product: Product, fate: signal.Signals) -> None:
    """One that was only stopped wakes up when all is done, and changes nothing."""
    file_id = await a_film(product)
    async with victim(0.1) as first:

        async def has_begun() -> bool:
            return len((await numbers(product)).get("v480", [])) >= 3

        await eventually(has_begun, timeout=30, interval=0.05)
        os.kill(first.pid, fate)
        before = len((await numbers(product))["v360"])
        transcoder = FakeTranscoder(segments=SEGMENTS)
        second = worker(product, transcoder)

        async def is_ready() -> bool:
            await second.run_due()
            async with product.database.reading() as tx:
                return await tx.session.scalar(select(Node.status).where(Node.id == file_id)) == "READY"

        await eventually(is_ready, timeout=4 * LEASE + 20, interval=0.1)
        assert [before] == [job.first for job in transcoder.jobs]
        await is_whole(product)
        if fate == signal.SIGSTOP:
            os.kill(first.pid, signal.SIGCONT)
            assert first.stdout is not None
            said = await asyncio.wait_for(first.stdout.read(), 30)
            assert said.endswith(b"done\n"), said
            await is_whole(product)
