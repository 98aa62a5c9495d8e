from pathlib import Path

from tests.entrypoints.cli.conftest import new_terminal
from tests.entrypoints.cli.terminal import sha256
from tests.fixtures.process import running_metastore
from tests.fixtures.seaweedfs import S3Server

MIB = 2**20


async def test_files_are_uploaded_to_s3_and_downloaded_unchanged(seaweedfs: S3Server, tmp_path: Path) -> None:
    settings = {
        "STORAGE_URL": f"s3://terminal?endpoint={seaweedfs.endpoint}&region=us-east-1",
        "S3_ACCESS_KEY_ID": seaweedfs.access_key,
        "S3_SECRET_ACCESS_KEY": seaweedfs.secret_key,
    }
    with running_metastore(tmp_path / "server", **settings) as server:
        terminal = await new_terminal(server.address, tmp_path)
        path, empty = terminal.file("film.bin", 12 * MIB), terminal.file("none.bin", 0)

        up = await terminal.run("upload", "film.bin", "none.bin", "--to", "/films")
        down = await terminal.run("download", "/films", "--to", "back")

        assert (up.code, down.code) == (0, 0), up.err + down.err
        assert sha256(terminal.here / "back" / "films" / "film.bin") == sha256(path)
        assert sha256(terminal.here / "back" / "films" / "none.bin") == sha256(empty)
