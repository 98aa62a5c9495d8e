import os
import shutil
import signal
from pathlib import Path

import httpx

from deploy.local.ports import free_port
from tests.entrypoints.cli.conftest import PART_SIZE, QUOTA, new_terminal
from tests.entrypoints.cli.intercepting_proxy import InterceptedRequest, Proxy, intercepting_proxy, problem
from tests.entrypoints.cli.terminal import Terminal, sha256
from tests.fixtures.process import ADMIN_PASSWORD, MetastoreProcess, running_metastore
from tests.fixtures.waiting import eventually


def is_part(seen: InterceptedRequest) -> bool:
    return seen.is_part


async def assert_downloads_unchanged(terminal: Terminal, path: Path, remote_path: str) -> None:
    ended = await terminal.run("download", remote_path, "--to", "back", "--overwrite")
    assert ended.code == 0, ended.err
    assert sha256(terminal.here / "back" / path.name) == sha256(path)


async def interrupted_upload(terminal: Terminal, proxy: Proxy, *, parts: int, of: int) -> Path:
    """Create a file, kill its upload after some parts, and return its path."""
    path = terminal.file("film.bin", of * PART_SIZE)
    proxy.let_through(parts, is_part)
    process = await terminal.start("upload", "film.bin", server=proxy.address)
    await eventually(lambda: len(proxy.parts) == parts, why="the first parts arrived")
    await terminal.end(process, signal.SIGKILL)
    await proxy.drop_delayed()
    proxy.seen.clear()
    return path


async def test_a_file_is_uploaded_in_parts_and_downloaded_unchanged(terminal: Terminal, proxy: Proxy) -> None:
    path = terminal.file("film.bin", 7 * PART_SIZE + 5)

    ended = await terminal.run("upload", "film.bin", "--to", "/films/new", server=proxy.address)

    assert (ended.code, ended.out) == (0, "film.bin → /films/new/film.bin\n"), ended.err
    assert len(proxy.parts) == 8
    await assert_downloads_unchanged(terminal, path, "/films/new/film.bin")


async def test_a_folder_keeps_its_structure_with_empty_files_and_folders(terminal: Terminal) -> None:
    one, two = terminal.file("trip/day 1/one.bin", 10), terminal.file("trip/day 1/đêm/two.bin", PART_SIZE + 1)
    terminal.file("trip/none.bin", 0)
    (terminal.here / "trip" / "nothing").mkdir()
    (terminal.here / "trip" / "round").symlink_to(terminal.here / "trip")

    ended = await terminal.run("upload", "trip", "--to", "/photos", "--yes")
    assert ended.code == 0, ended.err
    ended = await terminal.run("download", "/photos/trip", "--to", "back")
    assert ended.code == 0, ended.err

    back = terminal.here / "back" / "trip"
    assert sha256(back / "day 1" / "one.bin") == sha256(one)
    assert sha256(back / "day 1" / "đêm" / "two.bin") == sha256(two)
    assert (back / "none.bin").stat().st_size == 0
    assert sorted(path.name for path in back.iterdir()) == ["day 1", "none.bin", "nothing"]


async def test_no_cookie_is_sent_with_a_part_or_a_download(terminal: Terminal, proxy: Proxy) -> None:
    terminal.file("film.bin", 3 * PART_SIZE)
    await terminal.run("upload", "film.bin", server=proxy.address)
    await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    transfers = [seen for seen in proxy.seen if seen.path.startswith("/objects/")]
    assert len(transfers) == 4
    assert not [seen for seen in transfers if "cookie" in seen.headers]


async def test_after_a_kill_only_the_missing_parts_are_sent(terminal: Terminal, proxy: Proxy) -> None:
    path = await interrupted_upload(terminal, proxy, parts=4, of=9)

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 5
    assert await terminal.names_in("/") == ["film.bin"]
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_an_upload_is_resumed_when_its_record_is_lost(terminal: Terminal, proxy: Proxy) -> None:
    path = await interrupted_upload(terminal, proxy, parts=4, of=9)
    shutil.rmtree(terminal.home / "metastore")

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 5
    assert await terminal.names_in("/") == ["film.bin"]
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_without_a_record_an_upload_of_other_content_is_not_resumed(terminal: Terminal, proxy: Proxy) -> None:
    path = await interrupted_upload(terminal, proxy, parts=4, of=9)
    shutil.rmtree(terminal.home / "metastore")
    path.write_bytes(os.urandom(9 * PART_SIZE))

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert (ended.code, ended.out) == (0, "film.bin → /film (1).bin\n"), ended.err
    assert [upload["receivedBytes"] for upload in await terminal.unfinished()] == [4 * PART_SIZE]
    (terminal.here / "back").mkdir()
    assert (await terminal.run("download", "/film (1).bin", "--to", "back")).code == 0
    assert sha256(terminal.here / "back" / "film (1).bin") == sha256(path)


async def test_a_lost_response_to_complete_does_not_create_a_second_file(terminal: Terminal, proxy: Proxy) -> None:
    terminal.file("film.bin", 3 * PART_SIZE)
    lost: list[bool] = []

    def lose(seen: InterceptedRequest, body: bytes) -> bytes:
        if seen.path.endswith("/complete") and not lost:
            lost.append(True)
            for process in terminal.running:
                process.kill()
        return body

    proxy.change_down = lose
    await terminal.run("upload", "film.bin", server=proxy.address)
    assert lost

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert (ended.code, ended.out) == (0, "film.bin → /film.bin\n"), ended.err
    assert await terminal.names_in("/") == ["film.bin"]
    assert len(proxy.parts) == 3


async def test_a_name_that_is_not_utf8_fails_and_the_others_succeed(terminal: Terminal) -> None:
    terminal.file("trip/good.bin", 10)
    (terminal.here / "trip" / os.fsdecode(b"bad\xff.bin")).write_bytes(b"x")

    ended = await terminal.run("upload", "trip", "--yes")

    assert ended.code == 1
    assert "not in UTF-8" in ended.err
    assert await terminal.names_in("/trip") == ["good.bin"]


async def test_a_changed_file_is_uploaded_again_and_the_old_upload_is_aborted(terminal: Terminal, proxy: Proxy) -> None:
    path = await interrupted_upload(terminal, proxy, parts=4, of=9)
    path.write_bytes(os.urandom(2 * PART_SIZE))

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 2
    assert await terminal.unfinished() == []
    assert await terminal.names_in("/") == ["film.bin"]
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_a_file_that_changes_during_the_upload_is_not_completed(terminal: Terminal, proxy: Proxy) -> None:
    path = terminal.file("film.bin", 5 * PART_SIZE)
    release = proxy.let_through(2, is_part)
    process = await terminal.start("upload", "film.bin", server=proxy.address)
    await eventually(lambda: len(proxy.parts) == 2)
    with path.open("r+b") as file:  # in place, since a truncated file might be read
        file.write(os.urandom(5 * PART_SIZE))
    release.set()

    ended = await terminal.ended(process)

    assert ended.code == 1
    assert "film.bin: The file changed while it was being uploaded" in ended.err
    assert (await terminal.unfinished(), await terminal.names_in("/")) == ([], [])


async def test_ctrl_c_ends_the_run_and_the_same_command_resumes_it(terminal: Terminal, proxy: Proxy) -> None:
    path = terminal.file("film.bin", 6 * PART_SIZE)
    release = proxy.let_through(3, is_part)
    process = await terminal.start("upload", "film.bin", server=proxy.address)
    await eventually(lambda: len(proxy.parts) == 3)

    stopped = await terminal.end(process, signal.SIGINT)
    release.set()

    assert stopped.code == 130
    assert stopped.err.strip() == "Interrupted. Run the same command again to resume."
    assert (await terminal.run("upload", "film.bin")).code == 0
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_uploading_a_folder_again_sends_only_what_is_missing(terminal: Terminal, proxy: Proxy) -> None:
    terminal.file("trip/one.bin", 10)
    terminal.file("trip/two.bin", 10)
    await terminal.run("upload", "trip", "--yes", server=proxy.address)
    proxy.seen.clear()
    terminal.file("trip/three.bin", 10)

    ended = await terminal.run("upload", "trip", "--yes", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.parts) == 1
    assert sorted(await terminal.names_in("/trip")) == ["one.bin", "three.bin", "two.bin"]


async def test_an_upload_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    with running_metastore(tmp_path / "server", PART_SIZE=str(PART_SIZE)) as server:
        terminal = await new_terminal(server.address, tmp_path)
        path = terminal.file("film.bin", 24 * PART_SIZE)
        async with intercepting_proxy(server.address) as proxy:
            release = proxy.let_through(8, is_part)
            process = await terminal.start("upload", "film.bin", server=proxy.address)
            await eventually(lambda: len(proxy.parts) == 8)
            server.kill()
            release.set()
            await eventually(lambda: any(seen.status == 502 for seen in proxy.seen))
            server.start()
            ended = await terminal.ended(process)
            assert (ended.code, len(proxy.parts)) == (0, 24), ended.err
        await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_login_waits_for_a_server_that_starts_later(tmp_path: Path, terminal: Terminal) -> None:
    server = MetastoreProcess(tmp_path / "late", port=free_port())
    process = await terminal.start(
        "login", server=server.address, METASTORE_CLIENT_USERNAME="admin", METASTORE_CLIENT_PASSWORD=ADMIN_PASSWORD
    )
    try:
        server.start()
        ended = await terminal.ended(process)
    finally:
        server.kill()
    assert ended.code == 0, ended.err


async def test_an_upload_fails_when_the_server_stays_unreachable(terminal: Terminal) -> None:
    terminal.file("film.bin", 10)
    ended = await terminal.run("upload", "film.bin", "--patience", "0.5", server=f"http://127.0.0.1:{free_port()}")
    assert ended.code == 1
    assert "The server cannot be reached" in ended.err


async def test_transient_errors_are_retried(terminal: Terminal, proxy: Proxy) -> None:
    path = terminal.file("film.bin", 2 * PART_SIZE)
    limited = problem(429, "too-many-requests", **{"Retry-After": "1"})
    faults = [limited, *[problem(503, "unavailable")] * 3]
    proxy.respond_once(lambda seen: is_part(seen) or "chunked-upload/" in seen.path, *faults)

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 0, ended.err
    assert await terminal.names_in("/") == ["film.bin"]
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_expired_upload_urls_are_replaced(terminal: Terminal, proxy: Proxy) -> None:
    path = terminal.file("film.bin", 4 * PART_SIZE)
    proxy.respond_once(is_part, problem(403, "url-expired"), problem(403, "url-expired"))

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 0, ended.err
    refreshes = [seen for seen in proxy.seen if seen.method == "GET" and "/chunked-upload/" in seen.path]
    assert refreshes
    await assert_downloads_unchanged(terminal, path, "/film.bin")


async def test_an_upload_aborted_elsewhere_fails_and_the_next_run_starts_again(
    terminal: Terminal, proxy: Proxy
) -> None:
    terminal.file("film.bin", 4 * PART_SIZE)
    release = proxy.let_through(2, is_part)
    process = await terminal.start("upload", "film.bin", server=proxy.address)
    await eventually(lambda: len(proxy.parts) == 2)
    async with terminal.api() as api:
        for upload in await terminal.unfinished():
            (await api.delete(f"/api/v1/files/chunked-upload/{upload['uploadId']}")).raise_for_status()
    release.set()

    ended = await terminal.ended(process)

    assert ended.code == 1
    assert "upload-not-found" in ended.err
    assert (await terminal.run("upload", "film.bin")).code == 0


async def test_a_file_beyond_the_quota_fails_and_the_others_succeed(terminal: Terminal) -> None:
    with terminal.file("huge.bin", 0).open("wb") as huge:
        huge.truncate(QUOTA + 1)
    terminal.file("small.bin", 10)

    ended = await terminal.run("upload", "huge.bin", "small.bin")

    assert ended.code == 1
    assert ended.err.startswith("huge.bin: ")
    assert "quota-exceeded" in ended.err
    assert await terminal.names_in("/") == ["small.bin"]


async def test_a_corrupted_upload_is_detected(terminal: Terminal, proxy: Proxy) -> None:
    terminal.file("film.bin", 3 * PART_SIZE)
    proxy.change_up = lambda seen, body: bytes([body[0] ^ 1]) + body[1:] if seen.is_part else body

    ended = await terminal.run("upload", "film.bin", server=proxy.address)

    assert ended.code == 1
    assert "checksum" in ended.err
    assert await terminal.names_in("/") == []


async def test_two_runs_do_not_upload_the_same_file_at_once(terminal: Terminal, proxy: Proxy) -> None:
    terminal.file("film.bin", 3 * PART_SIZE)
    release = proxy.let_through(1, is_part)
    process = await terminal.start("upload", "film.bin", server=proxy.address)
    await eventually(lambda: len(proxy.parts) == 1)

    second = await terminal.run("upload", "film.bin", server=proxy.address)
    release.set()

    assert second.code == 1
    assert "Another run" in second.err
    assert (await terminal.ended(process)).code == 0


async def test_without_a_terminal_the_output_is_only_results(terminal: Terminal) -> None:
    terminal.file("film.bin", 10)
    ended = await terminal.run("upload", "film.bin")
    assert (ended.out, ended.err) == ("film.bin → /film.bin\n", "")


async def test_a_run_ends_its_session(terminal: Terminal) -> None:
    terminal.file("film.bin", 10)
    await terminal.run("upload", "film.bin")
    async with terminal.api() as api:
        sessions: httpx.Response = await api.get("/api/v1/auth/sessions")
    assert len(sessions.json()["items"]) == 1
