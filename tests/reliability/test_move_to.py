"""Move an instance from the embedded default to PostgreSQL and S3, with kills during the move."""

import asyncio
import contextlib
import random
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.postgres import Postgres
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import PASSWORD, Client
from tests.fixtures.programs import COMMAND, PipedProgram, start_with_pipes
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.waiting import eventually
from tests.reliability.fsck_runs import fsck
from tests.reliability.http_uploads import (
    Sending,
    all_items,
    anonymous_client,
    files_of,
    new_user,
    notified_files,
    sign_in,
    simple_upload,
    some_bytes,
    the_admin,
    usage_of,
)
from tests.reliability.product_launch import Launch, s3_settings

PART = 5 * 2**20
"""The smallest part size that S3 accepts."""


class Move:
    """Runs of ``metastore move-to`` with a product's data folder as the source."""

    def __init__(self, product: MetastoreProcess, database: str, storage: dict[str, str]) -> None:
        self._product = product
        self.killed = 0
        """How many moves were killed before they ended."""
        self._arguments = ["move-to", "--data-dir", str(product.data_dir), "--database", database]
        self._arguments += ["--storage", storage["STORAGE_URL"]]
        self._environment = {**product.environment(), **{f"METASTORE_{k}": v for k, v in storage.items()}}
        del self._environment["METASTORE_STORAGE_URL"]

    def start(self, *options: str) -> PipedProgram:
        """Start a move."""
        command: list[str | Path] = [COMMAND, *self._arguments, *options]
        return start_with_pipes(command, cwd=self._product.folder, environment=self._environment)

    async def run(self, *options: str) -> tuple[int, str]:
        """Run a move and return its exit code and output."""
        process = self.start(*options)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.wait(), (out + err).decode()

    async def run_and_kill(self, step: str, *options: str) -> None:
        """Kill a move shortly after it reports ``step``."""
        await asyncio.to_thread(self._run_and_kill, step, options)

    def _run_and_kill(self, step: str, options: tuple[str, ...]) -> None:
        process = self.start(*options)
        reported = any(line == f"moving {step}\n".encode() for line in process.stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(random.random() * 0.01)
        process.kill()
        rest = process.collect()
        self.killed += process.wait() < 0
        # If an earlier move finished before its kill, this one has no such step to report.
        assert reported or self.killed, rest


@pytest.fixture
def target(postgres: Postgres, seaweedfs: S3Server, tmp_path: Path) -> dict[str, str]:
    """Settings of the target: an empty database, and a bucket that does not exist yet."""
    storage = s3_settings(seaweedfs, bucket=f"moved-{random.randint(0, 10**9)}")
    return {"DATABASE_URL": postgres.url(postgres.create_database()), **storage}


async def add_content(client: Client) -> list[Sending]:
    """Add files of all sizes, folders, trash and unusual names."""
    sent = []
    for number, size in enumerate((1, 300_000, PART, PART + 1, 2 * PART + 12_345)):
        sending = await Sending.begin(
            client, some_bytes(size), name=f"ünï {number}.bin", path="/a/b" if number else "/"
        )
        await sending.put_all()
        assert (await sending.complete()).status_code == 200
        sent.append(sending)
    assert (await simple_upload(client, b"")).status_code in (200, 201)
    assert (await simple_upload(client, some_bytes(70_000), name="simple.bin")).status_code in (200, 201)
    assert (await simple_upload(client, b"to the trash", name="gone.txt")).status_code in (200, 201)
    [gone] = [file_id for file_id, file in (await files_of(client)).items() if file["name"] == "gone.txt"]
    assert (await client.delete(f"/api/v1/files/{gone}")).status_code == 204
    # A folder whose parent was created after it.
    old = await client.json_of("POST", "/api/v1/folders", 201, json={"name": "old"})
    young = await client.json_of("POST", "/api/v1/folders", 201, json={"name": "young"})
    await client.json_of("PATCH", f"/api/v1/folders/{old['id']}", json={"parentId": young["id"]})
    return sent


async def test_an_instance_moves_completely_although_the_move_is_killed(launch: Launch, target: dict[str, str]) -> None:
    """All files and the audit trail are there, users can sign in, and fsck finds nothing."""
    old = launch(PART_SIZE=str(PART))
    old.start()
    async with new_user(old.address) as client:
        sent = await add_content(client)
        unfinished = await Sending.begin(client, some_bytes(1000))
        me = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
        usage = await usage_of(client)
        files = await files_of(client)

        async def all_notified() -> bool:
            return {sending.file_id for sending in sent} <= (await notified_files(client)).keys()

        await eventually(all_notified, why="the owner is notified of all files")
        cookies = client.cookies
    async with the_admin(old.address) as admin:
        trail = {entry["id"] for entry in await all_items(admin, "/api/v1/admin/audit-logs")}

    move = Move(old, target["DATABASE_URL"], {k: v for k, v in target.items() if k != "DATABASE_URL"})
    code, output = await move.run()
    assert (2, True) == (code, "in use by another metastore" in output), output
    # A kill leaves some events undelivered.
    old.kill()
    code, output = await move.run()
    assert (2, True) == (code, "--abort-uploads" in output), output

    for step in ("objects", "nodes", "files"):
        await move.run_and_kill(step, "--abort-uploads")
    code, output = await move.run("--abort-uploads")
    assert 0 == code, output

    new = launch(PART_SIZE=str(PART), **target)
    new.data_dir.mkdir(parents=True)
    (new.data_dir / "secret.key").write_text((old.data_dir / "secret.key").read_text())
    new.start()
    checked = await fsck(new)
    assert (0, []) == (checked.code, checked.findings), checked.errors
    async with anonymous_client(new.address) as client:
        client.cookies = cookies
        assert me == (await client.json_of("GET", "/api/v1/auth/me"))["user"] | {
            "storageReserved": me["storageReserved"]
        }
        await sign_in(client, me["username"], PASSWORD)
        assert usage.used == (await usage_of(client)).used
        assert 0 == (await usage_of(client)).reserved
        assert files.keys() - {unfinished.file_id} == (await files_of(client)).keys()
        for sending in sent:
            sending.client = client
            await sending.assert_whole()
        later = await Sending.begin(client, some_bytes(10))
        await later.put_all()
        assert (await later.complete()).status_code == 200
        await later.assert_whole()
    async with the_admin(new.address) as admin:
        assert trail <= {entry["id"] for entry in await all_items(admin, "/api/v1/admin/audit-logs")}


async def test_a_target_that_is_not_empty_is_refused(launch: Launch, target: dict[str, str]) -> None:
    """Neither a database with rows nor a bucket with objects is overwritten."""
    other = launch(PART_SIZE=str(PART), **target)
    other.start()
    async with new_user(other.address) as client:
        assert (await simple_upload(client, b"theirs")).status_code in (200, 201)
    other.terminate()
    old = launch()
    old.start()
    old.terminate()
    storage = {k: v for k, v in target.items() if k != "DATABASE_URL"}
    code, output = await Move(old, target["DATABASE_URL"], storage).run()
    assert (2, True) == (code, "objects of its own" in output), output
    elsewhere = {**storage, "STORAGE_URL": f"file://{other.folder}/empty"}
    code, output = await Move(old, target["DATABASE_URL"], elsewhere).run()
    assert (2, True) == (code, "not empty" in output), output
