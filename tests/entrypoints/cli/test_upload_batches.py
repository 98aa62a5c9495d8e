"""Small files are uploaded together, and interruptions change nothing about what arrives."""

import shutil
import signal
from pathlib import Path

from tests.entrypoints.cli.conftest import QUOTA
from tests.entrypoints.cli.intercepting_proxy import InterceptedRequest, Proxy, problem
from tests.entrypoints.cli.terminal import Terminal, sha256
from tests.fixtures.waiting import eventually

MIB = 2**20


def is_batch(seen: InterceptedRequest) -> bool:
    return seen.path == "/api/v1/files/upload-batch"


def batches_of(proxy: Proxy) -> list[InterceptedRequest]:
    return [seen for seen in proxy.seen if is_batch(seen)]


def small_files(terminal: Terminal, count: int, folder: str = "trip") -> list[Path]:
    return [terminal.file(f"{folder}/day {number % 3}/{number}.bin", 100 + number) for number in range(count)]


async def assert_same_below(terminal: Terminal, paths: list[Path]) -> None:
    shutil.rmtree(terminal.here / "back", ignore_errors=True)
    ended = await terminal.run("download", "/trip", "--to", "back")
    assert ended.code == 0, ended.err
    back = terminal.here / "back"
    assert {path: sha256(path) for path in paths} == {
        path: sha256(back / path.relative_to(terminal.here)) for path in paths
    }
    assert len([path for path in (back / "trip").rglob("*") if path.is_file()]) == len(paths)


async def test_a_folder_of_small_files_takes_few_requests(terminal: Terminal, proxy: Proxy) -> None:
    paths = small_files(terminal, 202)
    paths.append(terminal.file("trip/large.bin", MIB))
    paths.append(terminal.file("trip/Tết/ảnh (1).bin", 0))

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    names = [path.relative_to(terminal.here) for path in paths]
    assert sorted(ended.out.splitlines()) == sorted(f"{name} → /{name}" for name in names)
    assert len(batches_of(proxy)) == 2
    assert len([seen for seen in proxy.seen if seen.path.endswith("/initiate")]) == 1
    assert await terminal.names_in("/trip/Tết") == ["ảnh (1).bin"]


async def test_names_that_a_batch_cannot_express_arrive_as_well(terminal: Terminal, proxy: Proxy) -> None:
    paths = [*small_files(terminal, 2), terminal.file('trip/say "hi".bin', 5), terminal.file("trip/100%22.bin", 5)]

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    await assert_same_below(terminal, paths)


async def test_a_batch_is_retried_under_its_idempotency_key(terminal: Terminal, proxy: Proxy) -> None:
    paths = small_files(terminal, 5)
    proxy.respond_once(is_batch, problem(503, "unavailable"), problem(409, "idempotency-in-progress"))

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len({seen.headers["idempotency-key"] for seen in batches_of(proxy)}) == 1
    assert len(batches_of(proxy)) == 3
    await assert_same_below(terminal, paths)


async def test_after_a_lost_response_nothing_is_uploaded_twice(terminal: Terminal, proxy: Proxy) -> None:
    paths = small_files(terminal, 5)
    lost: list[bool] = []

    def lose(seen: InterceptedRequest, body: bytes) -> bytes:
        if is_batch(seen) and not lost:
            lost.append(True)
            for process in terminal.running:
                process.kill()
        return body

    proxy.change_down = lose
    await terminal.run("upload", "trip", "--yes", server=proxy.address)
    assert lost
    proxy.seen.clear()

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert ended.out.count("(already there)") == 5
    assert not batches_of(proxy)
    await assert_same_below(terminal, paths)


async def test_after_a_lost_response_another_file_of_the_same_name_is_not_taken_for_it(
    terminal: Terminal, proxy: Proxy
) -> None:
    small_files(terminal, 2)
    await terminal.run("upload", "trip", "--yes")
    shutil.rmtree(terminal.home / "metastore")
    small_files(terminal, 2)
    proxy.let_through(0, is_batch)
    process = await terminal.start("upload", "trip", "--yes", server=proxy.address)
    await eventually(lambda: bool(batches_of(proxy)), why="the batch is being sent")
    await terminal.end(process, signal.SIGKILL)
    await proxy.drop_delayed()

    ended = await terminal.run("upload", "trip", "--yes")

    assert ended.code == 0, ended.err
    assert "trip/day 0/0.bin → /trip/day 0/0 (1).bin" in ended.out


async def test_a_folder_uploaded_again_sends_only_what_has_changed(terminal: Terminal, proxy: Proxy) -> None:
    small_files(terminal, 6)
    await terminal.run("upload", "trip", "--yes", server=proxy.address)
    proxy.seen.clear()
    for number in (1, 4):
        terminal.file(f"trip/day 1/{number}.bin", 50)

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert ended.out.count("(already there)") == 4
    assert len(batches_of(proxy)) == 1
    assert sorted(await terminal.names_in("/trip/day 1")) == ["1 (1).bin", "1.bin", "4 (1).bin", "4.bin"]


async def test_a_file_deleted_on_the_server_is_uploaded_again(terminal: Terminal) -> None:
    small_files(terminal, 3)
    await terminal.run("upload", "trip", "--yes")
    async with terminal.api() as api:
        (item,) = (await api.get("/api/v1/files", params={"path": "/trip/day 2"})).json()["items"]
        (await api.delete(f"/api/v1/files/{item['id']}")).raise_for_status()

    ended = await terminal.run("upload", "trip", "--yes")

    assert ended.code == 0, ended.err
    assert await terminal.names_in("/trip/day 2") == ["2.bin"]


async def test_files_beyond_the_quota_fail_and_the_others_succeed(terminal: Terminal) -> None:
    size = MIB - 1
    for number in range(QUOTA // size + 2):
        terminal.file(f"trip/{number:02}.bin", size)

    ended = await terminal.run("upload", "trip", "--yes")

    assert ended.code == 1
    assert ended.err.count("quota-exceeded") == 2
    assert len(ended.out.splitlines()) == QUOTA // size


async def test_a_corrupted_file_of_a_batch_is_detected(terminal: Terminal, proxy: Proxy) -> None:
    for name in ("a", "b"):
        terminal.file(f"trip/{name}.bin", 5).write_bytes(name.encode() * 100)
    proxy.change_up = lambda seen, body: body.replace(b"b" * 100, b"x" * 100) if is_batch(seen) else body

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 1
    assert "trip/b.bin: The uploaded file does not have the local file's checksum" in ended.err
    assert await terminal.names_in("/trip") == ["a.bin"]


async def test_the_files_of_a_refused_batch_are_uploaded_alone(terminal: Terminal, proxy: Proxy) -> None:
    paths = small_files(terminal, 3)
    proxy.respond_once(is_batch, problem(400, "bad-request"))

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 3
    await assert_same_below(terminal, paths)


async def test_a_server_without_batches_gets_each_file_alone(terminal: Terminal, proxy: Proxy) -> None:
    paths = small_files(terminal, 3)
    proxy.respond_once(is_batch, problem(405, "method-not-allowed"))

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 3
    await assert_same_below(terminal, paths)
