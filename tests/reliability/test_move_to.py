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
    anonymous_client,
    everything,
    files_of,
    new_user,
    notified_files,
    sign_in,
    some_bytes,
    the_admin,
    usage_of,
    whole,
)
from tests.reliability.product_launch import Launch, s3_settings

PART = 5 * 2**20
"""What S3 takes at the least."""


class Move:
    """Runs ``metastore move-to`` from a product's data folder."""

    def __init__(self, product: MetastoreProcess, database: str, storage: dict[str, str]) -> None:
        self._product = product
        self.killed = 0
        """How many moves a kill has hit."""
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
        # A move that was quicker than its kill leaves the next one nothing to announce.
        assert reported or self.killed, rest


@pytest.fixture
def new_place(postgres: Postgres, seaweedfs: S3Server, tmp_path: Path) -> dict[str, str]:
    """Settings for an empty database and a bucket that does not exist yet."""
    storage = s3_settings(seaweedfs, bucket=f"moved-{random.randint(0, 10**9)}")
    return {"DATABASE_URL": postgres.url(postgres.create_database()), **storage}


async def grow(client: Client) -> list[Sending]:
    """Add files of all sizes, folders, trash and unusual names."""
    sent = []
    for number, size in enumerate((1, 300_000, PART, PART + 1, 2 * PART + 12_345)):
        sending = await Sending.begin(
            client, some_bytes(size), name=f"ünï {number}.bin", path="/a/b" if number else "/"
        )
        await sending.put_all()
        assert (await sending.complete()).status_code == 200
        sent.append(sending)
    assert (await whole(client, b"")).status_code in (200, 201)
    assert (await whole(client, some_bytes(70_000), name="whole.bin")).status_code in (200, 201)
    assert (await whole(client, b"to the trash", name="gone.txt")).status_code in (200, 201)
    [gone] = [file_id for file_id, file in (await files_of(client)).items() if file["name"] == "gone.txt"]
    assert (await client.delete(f"/api/v1/files/{gone}")).status_code == 204
    # A folder that lies in one made after it.
    old = await client.json_of("POST", "/api/v1/folders", 201, json={"name": "old"})
    young = await client.json_of("POST", "/api/v1/folders", 201, json={"name": "young"})
    await client.json_of("PATCH", f"/api/v1/folders/{old['id']}", json={"parentId": young["id"]})
    return sent


async def test_a_grown_instance_moves_whole_though_the_move_is_killed(
    launch: Launch, new_place: dict[str, str]
) -> None:
    """Every byte, row and event is there, people can sign in, and the check has nothing to say."""
    old = launch(PART_SIZE=str(PART))
    old.start()
    async with new_user(old.address) as client:
        sent = await grow(client)
        unfinished = await Sending.begin(client, some_bytes(1000))
        me = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
        usage = await usage_of(client)
        files = await files_of(client)

        async def reported() -> bool:
            return {sending.file_id for sending in sent} <= (await notified_files(client)).keys()

        await eventually(reported, why="the owner was reported of all files")
        cookies = client.cookies
    async with the_admin(old.address) as admin:
        trail = {entry["id"] for entry in await everything(admin, "/api/v1/admin/audit-logs")}

    move = Move(old, new_place["DATABASE_URL"], {k: v for k, v in new_place.items() if k != "DATABASE_URL"})
    code, said = await move.run()
    assert (2, True) == (code, "in use by another metastore" in said), said
    # Killed, so that some events have not reached everybody yet.
    old.kill()
    code, said = await move.run()
    assert (2, True) == (code, "--abort-uploads" in said), said

    for step in ("objects", "nodes", "files"):
        await move.run_and_kill(step, "--abort-uploads")
    code, said = await move.run("--abort-uploads")
    assert 0 == code, said

    new = launch(PART_SIZE=str(PART), **new_place)
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
        assert trail <= {entry["id"] for entry in await everything(admin, "/api/v1/admin/audit-logs")}


async def test_a_place_that_is_taken_is_refused(launch: Launch, new_place: dict[str, str]) -> None:
    """Neither rows nor objects of others are mixed with ours."""
    other = launch(PART_SIZE=str(PART), **new_place)
    other.start()
    async with new_user(other.address) as client:
        assert (await whole(client, b"theirs")).status_code in (200, 201)
    other.terminate()
    old = launch()
    old.start()
    old.terminate()
    storage = {k: v for k, v in new_place.items() if k != "DATABASE_URL"}
    code, said = await Move(old, new_place["DATABASE_URL"], storage).run()
    assert (2, True) == (code, "objects of its own" in said), said
    elsewhere = {**storage, "STORAGE_URL": f"file://{other.folder}/empty"}
    code, said = await Move(old, new_place["DATABASE_URL"], elsewhere).run()
    assert (2, True) == (code, "not empty" in said), said
