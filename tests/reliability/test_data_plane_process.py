"""The process of the data plane may be killed at any moment, and so may the process that started it."""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually, eventually_sync
from tests.reliability.http_uploads import Sending, Usage, downloaded, new_user, simple_upload, some_bytes, usage_of
from tests.reliability.product_launch import Launch, restart

NAME = "metastore-data"
PART = 256 * 1024
PARTS = 40
ROUNDS = 4


def data_planes(product: MetastoreProcess) -> list[int]:
    """Return the processes of the data plane of a running product."""
    return [pid for pid in children(product.pid) if (name_of(pid) == NAME)]


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # the thread has ended
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def name_of(pid: int) -> str:
    """Return the name of a process; empty if it has ended."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text()
        if status.rpartition(")")[2].split()[0] != "Z":
            return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


async def kill_data_plane(product: MetastoreProcess) -> None:
    """Kill the process of the data plane as soon as there is one."""
    await eventually(lambda: data_planes(product))
    (pid,) = data_planes(product)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: name_of(pid) != NAME)


async def test_uploads_survive_kills_of_the_data_plane(launch: Launch) -> None:
    """No acknowledged part is lost; the client sends the others again, and the file is whole."""
    product = launch(PART_SIZE=str(PART))
    product.start()
    async with new_user(product.address) as client:
        sending = await Sending.begin(client, some_bytes(PARTS * PART - 1000))
        for round_ in range(1, ROUNDS + 1):
            work = asyncio.create_task(_send_missing(sending))
            target = min(PARTS - 1, round_ * PARTS // (ROUNDS + 2))
            await eventually(lambda wanted=target: len(sending.etags) >= wanted, interval=0)  # type: ignore[misc]  # bound now
            await kill_data_plane(product)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            listed = await _listed(sending)
            assert sending.etags.items() <= listed.items(), "an acknowledged part is lost"
            sending.etags = dict(listed)
        await _send_missing(sending)
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()
        assert await usage_of(client) == Usage(len(sending.content), 0)
    assert product.terminate() == 0
    assert "Traceback" not in product.output()


async def test_an_upload_completes_although_the_data_plane_is_killed_meanwhile(launch: Launch) -> None:
    """Complete is repeated until it succeeds. There is one file, and it is whole."""
    product = launch(PART_SIZE=str(PART))
    product.start()
    async with new_user(product.address) as client:
        for _ in range(5):
            sending = await Sending.begin(client, some_bytes(3 * PART))
            await _send_missing(sending)
            completing = asyncio.create_task(_completes(sending))
            await kill_data_plane(product)
            await completing
            await eventually(lambda sending=sending: _completes(sending))  # type: ignore[misc]  # bound now
            await eventually(lambda sending=sending: _is_whole(sending))  # type: ignore[misc]  # bound now


async def test_requests_are_unavailable_only_while_there_is_no_data_plane(launch: Launch) -> None:
    """The API works all the time, responses are whole or 503, and there is a new process in a moment."""
    product = launch()
    product.start()
    async with new_user(product.address) as client:
        content = some_bytes(100_000)
        file_id = (await simple_upload(client, content)).json()["file"]["id"]
        url = (await client.get(f"/api/v1/files/{file_id}/download")).headers["location"]
        (before,) = data_planes(product)
        os.kill(before, signal.SIGKILL)
        statuses: set[int] = set()

        async def is_back() -> bool:
            await client.json_of("GET", "/api/v1/auth/me")
            try:
                response = await client.get(url)
            except httpx.TransportError:
                return False
            statuses.add(response.status_code)
            if response.status_code == 503:
                assert response.json()["code"] == "unavailable"
            return response.status_code == 200 and response.content == content and data_planes(product) != [before]

        await eventually(is_back, interval=0)
        assert statuses <= {200, 503}


async def test_a_deleted_file_is_gone_in_both_processes(launch: Launch) -> None:
    """Although the data plane has it open, and its space is free."""
    product = launch()
    product.start()
    async with new_user(product.address) as client:
        file_id = (await simple_upload(client, some_bytes(PART))).json()["file"]["id"]
        url = (await client.get(f"/api/v1/files/{file_id}/download")).headers["location"]
        assert (await client.get(url)).status_code == 200
        (pid,) = data_planes(product)
        assert _opened_objects(pid)
        assert (await client.delete(f"/api/v1/files/{file_id}")).is_success
        assert (await client.delete(f"/api/v1/trash/{file_id}")).is_success

        async def is_gone() -> bool:
            return (await client.get(url)).status_code == 404

        await eventually(is_gone)
        assert not _opened_objects(pid)


@pytest.mark.parametrize("in_transfer", [False, True])
async def test_the_data_plane_ends_with_the_process_that_started_it(launch: Launch, *, in_transfer: bool) -> None:
    """Killed alone, without its group: the lock is free, and the product starts again at once."""
    product = launch(PART_SIZE=str(4 * PART))
    product.start()
    async with new_user(product.address) as client:
        sending = await Sending.begin(client, some_bytes(20 * PART))
        work = asyncio.create_task(sending.put_all()) if in_transfer else None
        if work:
            await eventually(lambda: sending.etags, interval=0)
        (pid,) = data_planes(product)
        product.kill_alone()
        restart(product)
        assert name_of(pid) != NAME
        if work:
            await asyncio.gather(work, return_exceptions=True)
        assert sending.etags.items() <= (await sending.state()).items()
        await _send_missing(sending)
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()


def test_signals_to_the_whole_group_stop_it_gracefully(launch: Launch) -> None:
    """Terminals and service managers send them to all processes."""
    product = launch()
    for number in (signal.SIGINT, signal.SIGTERM):
        product.start()
        (pid,) = data_planes(product)
        os.killpg(product.pid, number)
        eventually_sync(lambda pid=pid: name_of(pid) != NAME)  # type: ignore[misc]  # bound now
        assert product.terminate() == 0
    assert "Traceback" not in product.output()


def test_uvicorns_own_protocol_class_serves_everything_in_one_process(launch: Launch) -> None:
    """It cannot pass connections."""
    product = launch(HTTP_SERVER="uvicorn")
    product.start()
    assert data_planes(product) == []
    assert product.terminate() == 0


def test_the_lock_is_held_while_any_of_the_processes_lives(launch: Launch, tmp_path: Path) -> None:
    """No other process may write to the folder of a running product."""
    product = launch()
    product.start()
    lock = product.data_dir / "objects" / "lock"
    held = subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False)
    assert held.returncode == 1
    assert product.terminate() == 0
    assert subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0


def _opened_objects(pid: int) -> list[str]:
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    return [link for link in links if "/objects/objects/" in link]


async def _send_missing(sending: Sending) -> None:
    """Send the missing parts, again and again until the data plane has them."""
    while missing := set(sending.numbers) - sending.etags.keys():
        for number in sorted(missing):
            with suppress(httpx.TransportError):
                response = await sending.put(number)
                assert response.status_code in (200, 503), response.text


async def _listed(sending: Sending) -> dict[int, str]:
    """Return the parts that the server lists, as soon as it can."""
    listed: dict[int, str] = {}

    async def succeeds() -> bool:
        try:
            response = await sending.client.get(f"/api/v1/files/chunked-upload/{sending.upload_id}")
        except httpx.TransportError:  # the killed process still had the connection
            return False
        assert response.status_code in (200, 503), response.text
        if response.status_code == 200:
            listed.update({part["partNumber"]: part["etag"] for part in response.json()["parts"]})
        return response.status_code == 200

    await eventually(succeeds)
    return listed


async def _completes(sending: Sending) -> bool:
    try:
        response = await sending.complete()
    except httpx.TransportError:  # the killed process still had the connection
        return False
    assert response.status_code in (200, 409, 503), response.text
    return response.status_code == 200


async def _is_whole(sending: Sending) -> bool:
    try:
        return await downloaded(sending.client, sending.file_id) == sending.content
    except (AssertionError, httpx.TransportError):
        return False
