import asyncio
from pathlib import Path

import httpx

from metastore.client.sessions import Session
from tests.entrypoints.cli.conftest import new_terminal
from tests.entrypoints.cli.terminal import PASSWORD, Terminal
from tests.fixtures.process import running_metastore
from tests.fixtures.waiting import eventually

NO_CREDENTIALS = {"METASTORE_CLIENT_USERNAME": "", "METASTORE_CLIENT_PASSWORD": ""}


async def login(terminal: Terminal) -> None:
    ended = await terminal.run(
        "login", "--username", terminal.username, "--password-stdin", typed=PASSWORD, **NO_CREDENTIALS
    )
    assert ended.code == 0, ended.err


async def test_a_saved_session_is_used_until_logout(terminal: Terminal) -> None:
    terminal.file("film.bin", 10)
    await login(terminal)

    assert (await terminal.run("upload", "film.bin", **NO_CREDENTIALS)).code == 0
    assert (await terminal.run("logout", **NO_CREDENTIALS)).code == 0

    ended = await terminal.run("upload", "film.bin", **NO_CREDENTIALS)
    assert ended.code == 2
    assert "run metastore login" in ended.err
    async with terminal.api() as api:
        sessions: httpx.Response = await api.get("/api/v1/auth/sessions")
    assert len(sessions.json()["items"]) == 1


async def test_a_saved_session_is_readable_by_its_owner_only(terminal: Terminal) -> None:
    await login(terminal)
    saved = [path for path in terminal.home.rglob("*") if path.is_file()]
    assert saved
    assert {path.stat().st_mode & 0o777 for path in saved} == {0o600}
    assert not [path for path in saved if PASSWORD.encode() in path.read_bytes()]


async def test_the_server_of_the_last_login_is_the_default(terminal: Terminal) -> None:
    await login(terminal)
    terminal.file("film.bin", 10)
    assert (await terminal.run("upload", "film.bin", METASTORE_CLIENT_SERVER="", **NO_CREDENTIALS)).code == 0


async def test_a_wrong_password_is_reported_and_not_retried(terminal: Terminal) -> None:
    terminal.file("film.bin", 10)
    ended = await terminal.run("upload", "film.bin", METASTORE_CLIENT_PASSWORD="not this one")
    assert ended.code == 1
    assert ended.err == "metastore: The username or the password is wrong. (invalid-credentials)\n"


async def test_runs_that_share_a_session_refresh_it_one_at_a_time(tmp_path: Path) -> None:
    with running_metastore(tmp_path / "server", ACCESS_TOKEN_TTL="1") as server:
        terminal = await new_terminal(server.address, tmp_path)
        await login(terminal)
        for number in range(3):
            terminal.file(f"{number}.bin", 10)
        await eventually(lambda: _access_token_has_expired(terminal), why="the access token has expired")

        runs = [terminal.run("upload", f"{number}.bin", **NO_CREDENTIALS) for number in range(3)]
        ended = await asyncio.gather(*runs)

        assert [run.code for run in ended] == [0, 0, 0], [run.err for run in ended]
        assert (await terminal.run("download", "/", "--to", "back", **NO_CREDENTIALS)).code == 0


async def test_an_ended_session_is_reported_with_the_command_to_sign_in_again(terminal: Terminal) -> None:
    await login(terminal)
    async with terminal.api() as api:
        for session in (await api.get("/api/v1/auth/sessions")).json()["items"]:
            if not session["current"]:
                await api.delete(f"/api/v1/auth/sessions/{session['id']}")
    terminal.file("film.bin", 10)
    ended = await terminal.run("upload", "film.bin", **NO_CREDENTIALS)
    assert ended.code == 1
    assert "sign in again with: metastore login" in ended.err


async def test_wrong_usage_is_reported_in_one_line(terminal: Terminal) -> None:
    for arguments, reason in (
        (["upload"], "requires an argument"),
        (["upload", "missing.bin"], "missing.bin: no such file or folder"),
        (["upload", "missing.bin", "--parallel", "0"], "parallel"),
        (["download", "/x", "--server", "ftp://nowhere"], "--server"),
    ):
        ended = await terminal.run(*arguments)
        assert (ended.code, reason in ended.err + ended.out) == (2, True), ended


async def _access_token_has_expired(terminal: Terminal) -> bool:
    """Return whether the server refuses the saved access token."""
    saved = next((terminal.home / "metastore" / "sessions").glob("*.json"))
    session = Session.model_validate_json(saved.read_bytes())
    async with httpx.AsyncClient(base_url=terminal.server, timeout=60) as client:
        path = "/api/v1/auth/me"
        return (await client.get(path, headers={"Cookie": session.header(path)})).status_code == 401
