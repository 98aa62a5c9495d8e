import httpx

from tests.entrypoints.cli.terminal import Ended, Terminal
from tests.fixtures.process import MetastoreProcess


async def create(terminal: Terminal, metastore: MetastoreProcess, *arguments: str, typed: str = "") -> Ended:
    data_dir = str(metastore.data_dir)
    return await terminal.run("admin", "create-user", *arguments, "--data-dir", data_dir, typed=typed)


async def test_a_generated_password_is_printed_once_and_can_be_used(
    terminal: Terminal, metastore: MetastoreProcess
) -> None:
    name = f"{terminal.username}x"
    ended = await create(terminal, metastore, name, f"{name}@example.org", "--role", "ADMIN")

    assert ended.code == 0, ended.err
    password = ended.out.split(" with the password ")[1].split()[0]
    async with httpx.AsyncClient(base_url=metastore.address, timeout=60) as client:
        response = await client.post("/api/v1/auth/login", json={"username": name, "password": password})
    assert (response.status_code, response.json()["user"]["role"]) == (200, "ADMIN")


async def test_a_given_password_is_not_printed(terminal: Terminal, metastore: MetastoreProcess) -> None:
    name = f"{terminal.username}y"
    given = "a password from stdin"
    ended = await create(terminal, metastore, name, f"{name}@example.org", "--password-stdin", typed=given)
    assert (ended.code, ended.out, ended.err) == (0, f"Created {name}\n", "")


async def test_a_taken_name_and_a_weak_password_are_reported_in_one_line(
    terminal: Terminal, metastore: MetastoreProcess
) -> None:
    taken = await create(terminal, metastore, terminal.username, "other@example.org")
    assert taken.code == 2
    assert taken.err.count("\n") == 1
    name = f"{terminal.username}z"
    weak = await create(terminal, metastore, name, f"{name}@example.org", "--password-stdin", typed="short")
    assert weak.code == 2
    assert weak.err.startswith("metastore: password: ")
