"""A crash during an upload keeps acknowledged parts, and abandoned uploads are reaped."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import httpx

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import Client
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    Sending,
    Usage,
    new_user,
    simple_upload,
    some_bytes,
    stored_files,
    usage_of,
)
from tests.reliability.product_launch import Launch, restart

ROUNDS = 3
PART = 256 * 1024
PARTS = 40


async def test_every_acknowledged_part_survives_a_crash(launch: Launch) -> None:
    """Killed repeatedly while it receives parts, the server still lists every acknowledged part."""
    product = launch(PART_SIZE=str(PART))
    product.start()
    async with new_user(product.address) as client:
        sending = await Sending.begin(client, some_bytes(PARTS * PART - 1000))
        for _ in range(ROUNDS):
            await _crash_while_sending(product, sending)
            restart(product)
            listed = await sending.state()
            assert sending.etags.items() <= listed.items(), "an acknowledged part is lost"
            # Parts whose response was lost are stored as well.
            sending.etags = dict(listed)
        await sending.put_all(set(sending.numbers) - sending.etags.keys())
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()
        assert await usage_of(client) == Usage(len(sending.content), 0)


async def test_expired_uploads_are_reaped_completely_after_a_crash(launch: Launch) -> None:
    """Only completed files remain on disk, and the quota counts exactly those."""
    product = launch(PART_SIZE=str(PART), UPLOAD_TTL="1", REAPER_INTERVAL="1")
    product.start()
    async with new_user(product.address) as client:
        kept = await simple_upload(client, some_bytes(PART))
        assert kept.status_code == 201
        abandoned = [await Sending.begin(client, some_bytes(PARTS * PART)) for _ in range(3)]
        requests = asyncio.gather(
            *(sending.put_all() for sending in abandoned),
            # A part that is sent again is first written to another file.
            *(_send_twice(sending) for sending in abandoned),
            *(_begin_until_it_fails(client) for _ in range(3)),
            return_exceptions=True,
        )
        await asyncio.sleep(random.uniform(0.05, 0.2))
        product.kill()
        await requests
        restart(product)

        async def nothing_is_reserved() -> bool:
            return await usage_of(client) == Usage(PART, 0)

        await eventually(nothing_is_reserved, interval=0.2, why="nothing is reserved")
        objects = product.data_dir / "objects"
        await eventually(lambda: _is_only(objects, PART), interval=0.2, why="nothing is orphaned")


async def _crash_while_sending(product: MetastoreProcess, sending: Sending) -> None:
    missing = [number for number in sending.numbers if number not in sending.etags]
    random.shuffle(missing)
    enough = len(sending.etags) + random.randint(0, max(1, PARTS // ROUNDS - 2))
    running = asyncio.create_task(sending.put_all(missing))
    await eventually(lambda: len(sending.etags) >= enough or running.done(), interval=0.001)
    product.kill()
    with suppress(httpx.TransportError):
        await running


async def _send_twice(sending: Sending) -> None:
    for _ in range(20):
        await asyncio.gather(sending.put(1), sending.put(1))


async def _begin_until_it_fails(client: Client) -> None:
    while True:
        await Sending.begin(client, some_bytes(10))


def _is_only(objects: Path, size: int) -> bool:
    data = [path.stat().st_size for path in stored_files(objects) if path.name == "data"]
    leftovers = [*(objects / "uploads").iterdir(), *(objects / "trash").iterdir()]
    return data == [size] and not leftovers
