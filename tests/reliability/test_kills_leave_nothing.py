"""A product that is killed at any moment leaves no unused bytes once its uploads have expired."""

import asyncio
import random
from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.postgres import Postgres
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import Client
from tests.fixtures.waiting import eventually
from tests.reliability.fsck_runs import fsck
from tests.reliability.http_uploads import (
    Sending,
    Usage,
    batch_upload,
    files_of,
    new_user,
    simple_upload,
    some_bytes,
    usage_of,
)
from tests.reliability.product_launch import Launch, restart, s3_settings

PART = 64 * 1024
TTL = 3


@pytest.fixture(params=["embedded", "postgresql-s3"])
def setting(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings for the embedded default, and for PostgreSQL and S3."""
    if request.param == "embedded":
        yield {}
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database()
    storage = s3_settings(request.getfixturevalue("seaweedfs"), bucket=f"kills-{random.randint(0, 10**9)}")
    yield {"DATABASE_URL": server.url(name), **storage}
    server.drop_database(name)


async def test_after_kills_no_unused_bytes_remain_and_the_quota_is_exact(
    launch: Launch, setting: dict[str, str]
) -> None:
    """After three kills during uploads and deletions, fsck finds nothing."""
    product = launch(PART_SIZE=str(PART), UPLOAD_TTL=str(TTL), REAPER_INTERVAL="1", **setting)
    product.start()
    async with new_user(product.address) as client:
        for _ in range(3):
            working = [asyncio.create_task(_upload_until_killed(client)) for _ in range(4)]
            await asyncio.wait(working, timeout=random.uniform(0.1, 1.0))
            product.kill()
            await asyncio.gather(*working)
            restart(product)

        async def nothing_is_reserved() -> bool:
            return (await usage_of(client)).reserved == 0

        await eventually(nothing_is_reserved, timeout=TTL * 20, interval=0.3, why="every upload has ended")
        files = await files_of(client)
        assert Usage(sum(file["size"] for file in files.values()), 0) == await usage_of(client)
        await _assert_no_findings(product)


async def _upload_until_killed(client: Client) -> None:
    try:
        while True:
            sending = await Sending.begin(client, some_bytes(random.randint(0, 3 * PART)))
            await sending.put_all(random.sample(sending.numbers, random.randint(0, len(sending.numbers))))
            choice = random.random()
            if choice < 0.4 and len(sending.etags) == len(sending.numbers):
                await sending.complete()
            elif choice < 0.6:
                await sending.abort()
            elif choice < 0.8:
                await simple_upload(client, some_bytes(random.randint(0, 1000)))
            else:
                await batch_upload(client, [some_bytes(random.randint(0, 1000)) for _ in range(random.randint(1, 50))])
    except (httpx.TransportError, AssertionError):
        # The server is down or shutting down.
        return


async def _assert_no_findings(product: MetastoreProcess) -> None:
    async def clean() -> bool:
        checked = await fsck(product, "--grace", str(TTL))
        assert checked.code in (0, 1), checked.errors
        return not checked.findings

    await eventually(clean, interval=0.5, why="fsck finds nothing")
    if not product.environment().get("METASTORE_STORAGE_URL"):
        assert [] == list((product.data_dir / "objects" / "uploads").iterdir())
