"""A configuration mistake ends the start with exit code 2 and one line that says what to fix."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.programs import COMMAND, Ended, run
from tests.reliability.product_launch import Launch

NOWHERE = 1
"""A port without a listener."""


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("PORT", "eighty", "METASTORE_PORT"),
        ("UPLOAD_TTL", "-1", "METASTORE_UPLOAD_TTL"),
        ("PART_SIZE", "5MB", "METASTORE_PART_SIZE"),
        ("PLANS", "{", "METASTORE_PLANS"),
        ("PLANS", '{"PLUS": {"storageQuota": 1}}', "METASTORE_PLANS"),
        ("PLANS", '{"FREE": {"storageQuota": -1}}', "METASTORE_PLANS"),
        ("SECRET_KEY", "short", "METASTORE_SECRET_KEY"),
        ("PUBLIC_URL", "drive.example.org", "METASTORE_PUBLIC_URL"),
        ("REGISTRATION", "maybe", "METASTORE_REGISTRATION"),
        ("TRUSTED_PROXIES", "everybody", "METASTORE_TRUSTED_PROXIES"),
        ("ADMIN_PASSWORD", "short", "METASTORE_ADMIN_PASSWORD"),
        ("DATABASE_URL", "mysql://localhost/metastore", "METASTORE_DATABASE_URL"),
        ("DATABASE_URL", "postgresql+asyncpg://127.0.0.1:notaport/x", "METASTORE_DATABASE_URL"),
        ("DATABASE_URL", f"postgresql+asyncpg://nobody@127.0.0.1:{NOWHERE}/x", "METASTORE_DATABASE_URL"),
        ("DATABASE_URL", "sqlite+aiosqlite:////proc/nowhere/metastore.db", "METASTORE_DATABASE_URL"),
        ("STORAGE_URL", "ftp://somewhere", "METASTORE_STORAGE_URL"),
        ("STORAGE_URL", "file://relative/folder", "METASTORE_STORAGE_URL"),
        ("STORAGE_URL", "file:///proc/nowhere", "METASTORE_STORAGE_URL"),
        ("STORAGE_URL", "s3://", "METASTORE_STORAGE_URL"),
        ("STORAGE_URL", "s3://bucket?endpint=http://127.0.0.1", "METASTORE_STORAGE_URL"),
        ("STORAGE_URL", f"s3://bucket?endpoint=http://127.0.0.1:{NOWHERE}", "METASTORE_STORAGE_URL"),
        ("BROKER_URL", "carrier-pigeon://", "METASTORE_BROKER_URL"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, setting: str, value: str, named: str) -> None:
    """The one line that is printed has the name of the setting."""
    assert named in error_line_of(tmp_path, **{setting: value})


def test_a_password_is_not_printed_with_the_mistake(tmp_path: Path) -> None:
    """The line about an unreachable database or store has no password."""
    url = f"postgresql+asyncpg://me:hunter2secret@127.0.0.1:{NOWHERE}/x"
    assert "hunter2secret" not in error_line_of(tmp_path, DATABASE_URL=url)
    url = f"s3://bucket?endpoint=http://127.0.0.1:{NOWHERE}"
    keys = {"S3_ACCESS_KEY_ID": "me", "S3_SECRET_ACCESS_KEY": "hunter2secret"}
    assert "hunter2secret" not in error_line_of(tmp_path, STORAGE_URL=url, **keys)


def test_a_used_port_is_named(tmp_path: Path) -> None:
    """Another program listens on it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"METASTORE_PORT: {port} is in use" in error_line_of(tmp_path, "--port", str(port))


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    """So is a host name that does not resolve."""
    assert "METASTORE_HOST" in error_line_of(tmp_path, "--host", "192.0.2.1")
    assert "METASTORE_HOST" in error_line_of(tmp_path, "--host", "no.such.host.invalid")


def test_a_data_folder_in_use_is_named(tmp_path: Path, launch: Launch) -> None:
    """The second process on it ends, the first keeps running."""
    first = launch()
    first.start()
    message = error_line_of(tmp_path, "--data-dir", str(first.data_dir))
    assert "METASTORE_DATA_DIR" in message
    assert str(first.data_dir) in message
    assert first.terminate() == 0


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file is in its place, or not even root can write there."""
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below", Path("/proc/nowhere")):
        assert "METASTORE_DATA_DIR" in error_line_of(tmp_path, "--data-dir", str(place))


def test_a_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    """Another file is in the place of the database."""
    (tmp_path / "metastore.db").write_bytes(b"This is not a database. " * 100)
    url = f"sqlite+aiosqlite:///{tmp_path / 'metastore.db'}"
    assert "METASTORE_DATABASE_URL" in error_line_of(tmp_path, DATABASE_URL=url)


def test_a_database_that_does_not_respond_is_named_in_time(tmp_path: Path) -> None:
    """A server accepts the connection and sends nothing."""
    with silent_server() as port:
        message = error_line_of(tmp_path, DATABASE_URL=f"postgresql+asyncpg://me@127.0.0.1:{port}/x")
        assert "METASTORE_DATABASE_URL" in message


def test_an_unknown_option_is_explained(tmp_path: Path) -> None:
    """The message names the option, and there is no traceback."""
    done = _run(tmp_path, "--prot", "1")
    assert done.returncode != 0
    assert "--prot" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def error_line_of(folder: Path, *options: str, **settings: str) -> str:
    """Return the single line on stderr of a start that must fail."""
    done = _run(folder, *options, **settings)
    assert done.returncode == 2, f"code {done.returncode}:\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("metastore: ")
    return lines[0]


def _run(folder: Path, *options: str, **settings: str) -> Ended:
    environment = MetastoreProcess(folder, settings).environment()
    defaults = ["--port", str(free_port())] if not {"--port"} & set(options) and "PORT" not in settings else []
    if "--data-dir" not in options:
        defaults += ["--data-dir", str(folder / "data")]
    command = [str(COMMAND), "serve", *defaults, *options]
    return run(command, cwd=folder, environment=environment)


@contextmanager
def silent_server() -> Iterator[int]:
    """Yield a port that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]
