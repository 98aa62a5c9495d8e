"""``metastore fsck`` on a real product, busy or damaged."""

import asyncio
import contextlib
import random
import sqlite3
from pathlib import Path

from metastore.kit.ids import new_id
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import Client
from tests.reliability.fsck_runs import fsck
from tests.reliability.http_uploads import (
    Sending,
    downloaded,
    files_of,
    new_user,
    simple_upload,
    some_bytes,
    usage_of,
)
from tests.reliability.product_launch import Launch

PART = 64 * 1024


async def test_fsck_beside_a_busy_product_reports_no_false_findings(profile: MetastoreProcess) -> None:
    """Files are uploaded, aborted and deleted at the same time, and the grace period is zero."""
    async with new_user(profile.address) as client:
        busy = [asyncio.create_task(_keep_busy(client)) for _ in range(2)]
        try:
            for _ in range(2):
                checked = await fsck(profile, "--grace", "0")
                assert (0, []) == (checked.code, checked.findings), checked.errors
        finally:
            for task in busy:
                task.cancel()
            outcomes = await asyncio.gather(*busy, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes


async def _keep_busy(client: Client) -> None:
    while True:
        sending = await Sending.begin(client, some_bytes(random.randint(0, 100_000)))
        await sending.put_all()
        if random.random() < 0.3:
            await sending.abort()
            continue
        assert (await sending.complete()).status_code == 200
        response = await simple_upload(client, some_bytes(random.randint(0, 10_000)), name=f"{new_id()}.bin")
        assert response.status_code in (200, 201)
        if random.random() < 0.7:
            assert (await client.delete(f"/api/v1/files/{sending.file_id}")).status_code == 204
            assert (await client.delete("/api/v1/trash")).status_code in (200, 202, 204)


async def test_every_flipped_byte_is_found_and_damaged_files_are_not_served(launch: Launch) -> None:
    """The byte is in the content or the metadata, at the beginning, in the middle or at the end."""
    product = launch(PART_SIZE=str(PART))
    product.start()
    async with new_user(product.address) as client:
        for size in (1, 2, 100, PART, PART + 1, 3 * PART + 17, 1, 200, 2 * PART):
            sending = await Sending.begin(client, some_bytes(size))
            await sending.put_all()
            assert (await sending.complete()).status_code == 200
        sound = await simple_upload(client, b"sound", name="sound.bin")
        assert sound.status_code in (200, 201)
        files = await files_of(client)
        objects = sorted((product.data_dir / "objects" / "objects").glob("*/*/data"))
        damaged = [path for path in objects if path.read_bytes() != b"sound"]
        for path in damaged:
            _flip(path if random.random() < 0.7 else path.with_name("object.json"))
        checked = await fsck(product)
        assert 1 == checked.code
        assert len(damaged) == len(checked.findings) == len({finding["id"] for finding in checked.findings})
        assert {"wrong-checksum", "damaged-object"} >= {*checked.kinds}
        assert all(finding["severity"] == "error" for finding in checked.findings)

        refused = await fsck(product, "--repair")
        assert 2 == refused.code
        assert "stop it to repair" in refused.errors
        usage = await usage_of(client)
        product.terminate()
        repaired = await fsck(product, "--repair")
        assert len(damaged) == repaired.summary["summary"]["repaired"]
        product.start()
        again = await fsck(product)
        assert (0, len(damaged)) == (again.code, again.summary["summary"]["markedAsDamaged"])
        # No file was deleted, and damaged bytes are not served.
        assert files.keys() == (await files_of(client)).keys()
        assert usage == await usage_of(client)
        marked = {finding["id"] for finding in repaired.findings}
        for file_id in files:
            if file_id in marked:
                assert 409 == (await client.get(f"/api/v1/files/{file_id}/download")).status_code
            else:
                assert b"sound" == await downloaded(client, file_id)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.choice([0, len(content) - 1, random.randrange(len(content))])] ^= random.randint(1, 255)
    path.write_bytes(content)


async def test_a_corrupted_instance_is_repaired(launch: Launch) -> None:
    """Missing, truncated and orphaned objects and wrong counters are found and repaired."""
    product = launch(PART_SIZE=str(PART), UPLOAD_TTL="1000")
    product.start()
    async with new_user(product.address) as client:
        kept, orphaned, missing, truncated = [await Sending.begin(client, some_bytes(1000 + n)) for n in range(4)]
        for sending in (kept, orphaned, missing, truncated):
            await sending.put_all()
            assert (await sending.complete()).status_code == 200
        lost = await Sending.begin(client, some_bytes(500))
        product.kill()
        folders = {path.stat().st_size: path.parent for path in (product.data_dir / "objects").rglob("data")}
        for path in folders[1002].iterdir():
            path.unlink()
        folders[1002].rmdir()
        (folders[1003] / "data").write_bytes(b"cut")
        for path in folders[500].iterdir():
            path.unlink()
        folders[500].rmdir()
        with contextlib.closing(sqlite3.connect(product.data_dir / "metastore.db")) as database, database:
            database.execute("DELETE FROM nodes WHERE id = ?", (orphaned.file_id,))
            database.execute("UPDATE users SET storage_used = storage_used + 7")
        checked = await fsck(product, "--quick", "--repair", "--grace", "0")
        assert 1 == checked.code
        by_kind = {finding["kind"]: finding["id"] for finding in checked.findings}
        assert {
            "missing-object": missing.file_id,
            "damaged-object": truncated.file_id,
            "lost-multipart": lost.upload_id,
        }.items() <= by_kind.items()
        assert {"missing-object", "damaged-object", "lost-multipart", "orphan-object", "wrong-quota"} == {*by_kind}
        assert all(finding["repaired"] for finding in checked.findings)
        assert (0, []) == ((again := await fsck(product, "--grace", "0")).code, again.findings)
        product.start()
        assert 1000 + 1002 + 1003 == (await usage_of(client)).used
        assert 0 == (await usage_of(client)).reserved
        await kept.assert_whole()


async def test_fsck_without_a_database_reports_it(launch: Launch) -> None:
    """It does not create one."""
    product = launch()
    checked = await fsck(product)
    assert (2, False) == (checked.code, product.data_dir.exists())
    assert "there is no database" in checked.errors
