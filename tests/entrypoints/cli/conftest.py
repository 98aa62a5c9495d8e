"""A shared server, and an account for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from metastore.kit.ids import new_id
from tests.entrypoints.cli.intercepting_proxy import Proxy, intercepting_proxy
from tests.entrypoints.cli.terminal import PASSWORD, Terminal
from tests.fixtures.process import MetastoreProcess, running_metastore

PART_SIZE = 256 * 1024
QUOTA = 64 * 2**20


@pytest.fixture(scope="session")
def metastore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A server with small parts and a small quota."""
    plans = f'{{"FREE": {{"storageQuota": {QUOTA}}}}}'
    folder = tmp_path_factory.mktemp("server")
    with running_metastore(folder, PART_SIZE=str(PART_SIZE), PLANS=plans) as process:
        yield process


@pytest.fixture
async def terminal(metastore: MetastoreProcess, tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal with an account of its own."""
    terminal = await new_terminal(metastore.address, tmp_path)
    yield terminal
    await terminal.kill_all()


@pytest.fixture
async def proxy(metastore: MetastoreProcess) -> AsyncIterator[Proxy]:
    """A proxy between client and server."""
    async with intercepting_proxy(metastore.address) as proxy:
        yield proxy


async def new_terminal(server: str, folder: Path) -> Terminal:
    """Register an account and return a terminal that uses it."""
    username = f"u{new_id().replace('-', '')[-20:]}"
    account = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=server, timeout=30) as client:
        (await client.post("/api/v1/auth/register", json=account)).raise_for_status()
    home, here = folder / "state", folder / "here"
    home.mkdir()
    here.mkdir()
    return Terminal(server, username, home, here)
