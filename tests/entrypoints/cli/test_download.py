import signal
from pathlib import Path

from tests.entrypoints.cli.intercepting_proxy import InterceptedRequest, Proxy, problem
from tests.entrypoints.cli.terminal import Terminal, sha256
from tests.fixtures.waiting import eventually

MIB = 2**20


def is_fetch(seen: InterceptedRequest) -> bool:
    return seen.is_fetch


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def uploaded_file(terminal: Terminal, name: str, size: int) -> Path:
    """Create a file, upload it and return its path."""
    path = terminal.file(name, size)
    ended = await terminal.run("upload", name)
    assert ended.code == 0, ended.err
    return path


async def test_a_large_file_is_downloaded_in_ranges_without_leftovers(terminal: Terminal, proxy: Proxy) -> None:
    path = await uploaded_file(terminal, "film.bin", 20 * MIB + 1)

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    assert (ended.code, ended.out) == (0, "/film.bin → back/film.bin\n"), ended.err
    assert len(proxy.fetches) == 3
    assert names_in(terminal.here / "back") == ["film.bin"]
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_a_file_can_be_given_by_its_id(terminal: Terminal) -> None:
    path = await uploaded_file(terminal, "film.bin", 100)
    async with terminal.api() as api:
        file_id = (await api.get("/api/v1/files", params={"path": "/"})).json()["items"][0]["id"]

    assert (await terminal.run("download", file_id, "--to", "back")).code == 0
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_the_whole_drive_is_the_root(terminal: Terminal) -> None:
    await uploaded_file(terminal, "film.bin", 100)
    assert (await terminal.run("download", "/", "--to", "back")).code == 0
    assert (terminal.here / "back" / "film.bin").exists()


async def test_a_missing_file_is_reported_and_the_others_are_downloaded(terminal: Terminal) -> None:
    await uploaded_file(terminal, "film.bin", 100)
    ended = await terminal.run("download", "/nothing.bin", "/film.bin", "--to", "back")
    assert ended.code == 1
    assert ended.err == "/nothing.bin: There is no such file or folder on the server\n"
    assert (terminal.here / "back" / "film.bin").exists()


async def test_after_a_kill_complete_pieces_are_not_fetched_again(terminal: Terminal, proxy: Proxy) -> None:
    path = await uploaded_file(terminal, "film.bin", 40 * MIB)
    back = terminal.here / "back"
    proxy.let_through(2, is_fetch)
    process = await terminal.start("download", "/film.bin", "--to", "back", server=proxy.address)
    await eventually((back / "film.bin.part.json").exists, why="the first piece was recorded")
    await terminal.end(process, signal.SIGKILL)
    assert sorted(names_in(back)) == ["film.bin.part", "film.bin.part.json"]
    await proxy.drop_delayed()
    proxy.seen.clear()

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len(proxy.fetches) in {3, 4}
    assert sha256(back / "film.bin") == sha256(path)
    assert names_in(back) == ["film.bin"]


async def test_ctrl_c_keeps_complete_pieces(terminal: Terminal, proxy: Proxy) -> None:
    path = await uploaded_file(terminal, "film.bin", 40 * MIB)
    release = proxy.let_through(2, is_fetch)
    process = await terminal.start("download", "/film.bin", "--to", "back", server=proxy.address)
    record = terminal.here / "back" / "film.bin.part.json"
    await eventually(record.exists, why="the first piece was recorded")
    stopped = await terminal.end(process, signal.SIGINT)
    release.set()
    proxy.seen.clear()

    assert (stopped.code, "Run the same command again" in stopped.err) == (130, True)
    assert (await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)).code == 0
    assert len(proxy.fetches) in {3, 4}
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_a_corrupted_download_is_discarded(terminal: Terminal, proxy: Proxy) -> None:
    await uploaded_file(terminal, "film.bin", 20 * MIB)
    proxy.change_down = lambda seen, body: body[:-1] + bytes([body[-1] ^ 1]) if seen.is_fetch else body

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    assert ended.code == 1
    assert "film.bin: The downloaded bytes do not have the file's checksum" in ended.err
    assert names_in(terminal.here / "back") == []


async def test_a_truncated_response_is_retried(terminal: Terminal, proxy: Proxy) -> None:
    path = await uploaded_file(terminal, "film.bin", 9 * MIB)
    cut = iter([True])
    proxy.change_down = lambda seen, body: body[:1000] if seen.is_fetch and next(cut, False) else body

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    assert ended.code == 0, ended.err
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_an_expired_download_url_is_replaced(terminal: Terminal, proxy: Proxy) -> None:
    path = await uploaded_file(terminal, "film.bin", 9 * MIB)
    proxy.respond_once(is_fetch, problem(403, "url-expired"), problem(503, "unavailable"))

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=proxy.address)

    assert ended.code == 0, ended.err
    assert len([seen for seen in proxy.seen if seen.path.endswith("/download")]) == 2
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_an_identical_file_is_kept_and_another_is_not_overwritten(terminal: Terminal) -> None:
    path = await uploaded_file(terminal, "film.bin", 100)

    same = await terminal.run("download", "/film.bin")
    assert (same.code, same.out) == (0, "/film.bin → film.bin (already there)\n")

    path.write_bytes(b"mine")
    other = await terminal.run("download", "/film.bin")
    assert (other.code, path.read_bytes()) == (1, b"mine")
    assert "--overwrite" in other.err

    assert (await terminal.run("download", "/film.bin", "--overwrite")).code == 0
    assert path.stat().st_size == 100


async def test_the_server_cannot_choose_the_local_folder(terminal: Terminal, proxy: Proxy) -> None:
    await uploaded_file(terminal, "film.bin", 100)
    proxy.change_down = lambda seen, body: body.replace(b'"name":"film.bin"', b'"name":"../evil.bin"')

    ended = await terminal.run("download", "/", "--to", "back", server=proxy.address)

    assert ended.code == 1
    assert "not a valid file name" in ended.err
    assert not list(terminal.here.rglob("evil*"))


async def test_a_name_of_255_bytes_is_downloaded(terminal: Terminal) -> None:
    path = await uploaded_file(terminal, "n" * 251 + ".bin", 100)
    assert (await terminal.run("download", "/", "--to", "back")).code == 0
    assert sha256(terminal.here / "back" / path.name) == sha256(path)
