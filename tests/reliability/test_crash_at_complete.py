"""A crash during complete leaves either a file or an unfinished upload, and nothing in between.

Each file has exactly one notification and one audit entry.
"""

import asyncio
import random
from collections import Counter

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import Client
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    UPLOADS,
    Sending,
    Usage,
    all_items,
    files_of,
    new_user,
    notified_files,
    some_bytes,
    the_admin,
    usage_of,
)
from tests.reliability.product_launch import Launch, restart

ROUNDS = 3
AT_ONCE = 6
PART = 64 * 1024


async def test_a_crash_during_complete_neither_loses_nor_duplicates_a_file(
    launch: Launch, database_setting: dict[str, str]
) -> None:
    """After the crash, complete can be repeated, and abort releases the upload's space."""
    product = launch(PART_SIZE=str(PART), **database_setting)
    product.start()
    async with new_user(product.address) as client:
        kept: list[Sending] = []
        for _ in range(ROUNDS):
            sent = [await _sent(client) for _ in range(AT_ONCE)]
            acknowledged = await _crash_while_completing(product, sent)
            restart(product)
            for sending in sent:
                await _assert_known(sending)
                # Acknowledged completes stay; some of the other uploads are aborted.
                if sending in acknowledged or random.random() < 0.5 or not await _aborted(sending):
                    assert (await sending.complete()).status_code == 200
                    kept.append(sending)
        for sending in kept:
            await sending.assert_whole()
        assert set(await files_of(client)) == {sending.file_id for sending in kept}
        assert await usage_of(client) == Usage(sum(len(sending.content) for sending in kept), 0)
        await _assert_announced_once(product, client, {sending.file_id for sending in kept})


async def _sent(client: Client) -> Sending:
    sending = await Sending.begin(client, some_bytes(random.randint(1, 3 * PART)))
    await sending.put_all()
    return sending


async def _crash_while_completing(product: MetastoreProcess, sent: list[Sending]) -> list[Sending]:
    running = {asyncio.create_task(sending.complete()): sending for sending in sent}
    # Sometimes all requests finish and the crash hits the relay and the consumers.
    await asyncio.wait(running, timeout=random.choice([0.005, 0.02, 0.05, 0.1, 0.3]))
    product.kill()
    await asyncio.wait(running)
    return [sending for task, sending in running.items() if not task.exception() and task.result().status_code == 200]


async def _assert_known(sending: Sending) -> None:
    """Assert that the upload is never reported as unknown."""
    response = await sending.client.get(f"{UPLOADS}/{sending.upload_id}")
    assert response.status_code == 200 or response.json()["code"] == "upload-completed", response.text


async def _aborted(sending: Sending) -> bool:
    response = await sending.abort()
    if response.status_code != 204:
        assert response.status_code == 409, response.text
        return False
    assert (await sending.complete()).status_code == 404
    return True


async def _assert_announced_once(product: MetastoreProcess, client: Client, file_ids: set[str]) -> None:
    once = dict.fromkeys(file_ids, 1)

    async def all_notified() -> bool:
        return (await notified_files(client)).keys() >= file_ids

    async with the_admin(product.address) as admin:

        async def all_in_the_audit_trail() -> bool:
            return (await _audit_entries(admin)).keys() >= file_ids

        await eventually(all_notified, interval=0.1, why="the owner is notified of every file")
        await eventually(all_in_the_audit_trail, interval=0.1, why="every file is in the audit trail")
        assert await notified_files(client) == once
        assert await _audit_entries(admin) == once


async def _audit_entries(admin: Client) -> Counter[str]:
    entries = await all_items(admin, "/api/v1/admin/audit-logs", action="file.uploaded")
    return Counter(entry["resource"].removeprefix("file:") for entry in entries)
