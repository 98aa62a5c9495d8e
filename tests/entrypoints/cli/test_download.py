import signal
from pathlib import Path

from tests.entrypoints.cli.between import Between, Seen, problem
from tests.entrypoints.cli.terminal import Terminal, sha256
from tests.fixtures.waiting import eventually

MIB = 2**20


def is_fetch(seen: Seen) -> bool:
    return seen.is_fetch


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def there_is(terminal: Terminal, name: str, size: int) -> Path:
    """A file that is on the server, too."""
    path = terminal.file(name, size)
    ended = await terminal.run("upload", name)
    assert ended.code == 0, ended.err
    return path


async def test_a_large_file_comes_in_ranges_and_leaves_nothing_beside_it(terminal: Terminal, station: Between) -> None:
    path = await there_is(terminal, "film.bin", 20 * MIB + 1)

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=station.address)

    assert (ended.code, ended.out) == (0, "/film.bin → back/film.bin\n"), ended.err
    assert len(station.fetches) == 3
    assert names_in(terminal.here / "back") == ["film.bin"]
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_a_file_can_be_named_by_its_id(terminal: Terminal) -> None:
    path = await there_is(terminal, "film.bin", 100)
    async with terminal.api() as api:
        file_id = (await api.get("/api/v1/files", params={"path": "/"})).json()["items"][0]["id"]

    assert (await terminal.run("download", file_id, "--to", "back")).code == 0
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_the_whole_drive_is_the_root(terminal: Terminal) -> None:
    await there_is(terminal, "film.bin", 100)
    assert (await terminal.run("download", "/", "--to", "back")).code == 0
    assert (terminal.here / "back" / "film.bin").exists()


async def test_what_is_not_there_is_named_and_the_rest_comes(terminal: Terminal) -> None:
    await there_is(terminal, "film.bin", 100)
    ended = await terminal.run("download", "/nothing.bin", "/film.bin", "--to", "back")
    assert ended.code == 1
    assert ended.err == "/nothing.bin: There is no such file or folder on the server\n"
    assert (terminal.here / "back" / "film.bin").exists()


async def test_after_a_kill_pieces_that_are_here_are_not_fetched_again(terminal: Terminal, station: Between) -> None:
    path = await there_is(terminal, "film.bin", 40 * MIB)
    back = terminal.here / "back"
    station.let_through(2, is_fetch)
    process = await terminal.start("download", "/film.bin", "--to", "back", server=station.address)
    await eventually((back / "film.bin.part.json").exists, why="the first piece was noted")
    await terminal.end(process, signal.SIGKILL)
    assert sorted(names_in(back)) == ["film.bin.part", "film.bin.part.json"]
    await station.lose_held()
    station.seen.clear()

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=station.address)

    assert ended.code == 0, ended.err
    assert len(station.fetches) in {3, 4}
    assert sha256(back / "film.bin") == sha256(path)
    assert names_in(back) == ["film.bin"]


async def test_ctrl_c_keeps_what_has_arrived(terminal: Terminal, station: Between) -> None:
    path = await there_is(terminal, "film.bin", 40 * MIB)
    go_on = station.let_through(2, is_fetch)
    process = await terminal.start("download", "/film.bin", "--to", "back", server=station.address)
    note = terminal.here / "back" / "film.bin.part.json"
    await eventually(note.exists, why="the first piece was noted")
    stopped = await terminal.end(process, signal.SIGINT)
    go_on.set()
    station.seen.clear()

    assert (stopped.code, "Run the same command again" in stopped.err) == (130, True)
    assert (await terminal.run("download", "/film.bin", "--to", "back", server=station.address)).code == 0
    assert len(station.fetches) in {3, 4}
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_a_byte_that_changed_on_the_way_never_gets_the_files_name(terminal: Terminal, station: Between) -> None:
    await there_is(terminal, "film.bin", 20 * MIB)
    station.change_down = lambda seen, body: body[:-1] + bytes([body[-1] ^ 1]) if seen.is_fetch else body

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=station.address)

    assert ended.code == 1
    assert "film.bin: The downloaded bytes do not have the file's checksum" in ended.err
    assert names_in(terminal.here / "back") == []


async def test_an_answer_cut_short_is_asked_for_again(terminal: Terminal, station: Between) -> None:
    path = await there_is(terminal, "film.bin", 9 * MIB)
    cut = iter([True])
    station.change_down = lambda seen, body: body[:1000] if seen.is_fetch and next(cut, False) else body

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=station.address)

    assert ended.code == 0, ended.err
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_an_address_that_ran_out_of_time_is_replaced(terminal: Terminal, station: Between) -> None:
    path = await there_is(terminal, "film.bin", 9 * MIB)
    station.answer_once(is_fetch, problem(403, "url-expired"), problem(503, "unavailable"))

    ended = await terminal.run("download", "/film.bin", "--to", "back", server=station.address)

    assert ended.code == 0, ended.err
    assert len([seen for seen in station.seen if seen.path.endswith("/download")]) == 2
    assert sha256(terminal.here / "back" / "film.bin") == sha256(path)


async def test_a_file_that_is_here_already_is_left_alone_and_another_is_not_overwritten(terminal: Terminal) -> None:
    path = await there_is(terminal, "film.bin", 100)

    same = await terminal.run("download", "/film.bin")
    assert (same.code, same.out) == (0, "/film.bin → film.bin (already there)\n")

    path.write_bytes(b"mine")
    other = await terminal.run("download", "/film.bin")
    assert (other.code, path.read_bytes()) == (1, b"mine")
    assert "--overwrite" in other.err

    assert (await terminal.run("download", "/film.bin", "--overwrite")).code == 0
    assert path.stat().st_size == 100


async def test_a_server_does_not_choose_where_a_file_goes(terminal: Terminal, station: Between) -> None:
    await there_is(terminal, "film.bin", 100)
    station.change_down = lambda seen, body: body.replace(b'"name":"film.bin"', b'"name":"../evil.bin"')

    ended = await terminal.run("download", "/", "--to", "back", server=station.address)

    assert ended.code == 1
    assert "not a valid file name" in ended.err
    assert not list(terminal.here.rglob("evil*"))


async def test_a_name_of_255_bytes_comes_back(terminal: Terminal) -> None:
    path = await there_is(terminal, "n" * 251 + ".bin", 100)
    assert (await terminal.run("download", "/", "--to", "back")).code == 0
    assert sha256(terminal.here / "back" / path.name) == sha256(path)
