"""The main path over a socket, with each setting of ``METASTORE_HTTP_SERVER``."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from metastore.config import load_settings
from metastore.entrypoints.server.connection import Connection
from metastore.entrypoints.server.server import HttpServer
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.fixtures.stack import listening, signed_in
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import Sending, some_bytes

_PART = 5 * 2**20


@pytest.fixture(scope="module", params=["extended", "uvicorn"])
def metastore(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    with running_metastore(tmp_path_factory.mktemp("server"), HTTP_SERVER=request.param) as process:
        yield process


async def test_a_file_is_uploaded_in_parts_and_downloaded(metastore: MetastoreProcess) -> None:
    """Completely, by ranges that are sent from memory and from the file, and by HEAD."""
    async with signed_in(metastore.address) as client:
        sending = await Sending.begin(client, some_bytes(2 * _PART + 12_345))
        await sending.put_all()
        assert (await sending.complete()).status_code == 200
        await sending.assert_whole()

        url = (await client.get(f"/api/v1/files/{sending.file_id}/download")).headers["location"]
        for first, last in ((0, 0), (_PART - 10, _PART + 9), (7, 7 + 2 * 2**20), (2 * _PART, 2 * _PART + 12_344)):
            response = await client.get(url, headers={"Range": f"bytes={first}-{last}"})
            assert (response.status_code, response.content) == (206, sending.content[first : last + 1])
        assert (await client.get(url, headers={"Range": "bytes=99999999-"})).status_code == 416
        assert (await client.head(url)).headers["content-length"] == str(len(sending.content))


async def test_a_refused_part_leaves_the_connection_usable(metastore: MetastoreProcess) -> None:
    """The response arrives although it is sent before the end of the body."""
    async with signed_in(metastore.address) as client:
        sending = await Sending.begin(client, some_bytes(_PART + 1))
        assert (await sending.put(1, b"x" * 2**20)).json()["code"] == "length-mismatch"
        assert (await sending.put(1)).status_code == 200
        assert (await client.get("/api/v1/auth/me")).status_code == 200


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_socket_gets_messages(metastore: MetastoreProcess, transport: str) -> None:
    async with (
        signed_in(metastore.address) as client,
        listening(metastore.address, client, transport) as listener,
    ):
        await client.json_of("POST", "/api/v1/files/upload", 201, files={"file": ("a.txt", b"a")}, data={"path": "/"})
        await eventually(lambda: listener.received, timeout=30, why="a message arrives")


def test_the_setting_selects_the_protocol_class() -> None:
    def protocol_class(**options: str) -> object:
        protocol = load_settings(_env_file=None, **options).http_server
        config = HttpServer(Starlette(), host="127.0.0.1", port=1, protocol=protocol)._server.config
        config.load()
        return getattr(config.http_protocol_class, "func", config.http_protocol_class)

    assert protocol_class() is Connection
    assert protocol_class(http_server="extended") is Connection
    assert getattr(protocol_class(http_server="uvicorn"), "__module__", "").startswith("uvicorn.")
