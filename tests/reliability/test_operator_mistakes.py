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
    """Its name is in the one line that is printed."""
    assert named in complaint_of(tmp_path, **{setting: value})


def test_a_password_is_not_printed_with_the_mistake(tmp_path: Path) -> None:
    """A database that cannot be reached is named without the password to it."""
    url = f"postgresql+asyncpg://me:hunter2secret@127.0.0.1:{NOWHERE}/x"
    assert "hunter2secret" not in complaint_of(tmp_path, DATABASE_URL=url)
    url = f"s3://bucket?endpoint=http://127.0.0.1:{NOWHERE}"
    keys = {"S3_ACCESS_KEY_ID": "me", "S3_SECRET_ACCESS_KEY": "hunter2secret"}
    assert "hunter2secret" not in complaint_of(tmp_path, STORAGE_URL=url, **keys)


def test_a_used_port_is_named(tmp_path: Path) -> None:
    """Another program has it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"METASTORE_PORT: {port} is in use" in complaint_of(tmp_path, "--port", str(port))


def test_a_foreign_address_is_named(tmp_path: Path) -> None:
    """It is not one of this machine's, or none at all."""
    assert "METASTORE_HOST" in complaint_of(tmp_path, "--host", "192.0.2.1")
    assert "METASTORE_HOST" in complaint_of(tmp_path, "--host", "no.such.host.invalid")


def test_a_data_folder_in_use_is_named(tmp_path: Path, launch: Launch) -> None:
    """The second process on it goes, the first stays."""
    first = launch()
    first.start()
    said = complaint_of(tmp_path, "--data-dir", str(first.data_dir))
    assert "METASTORE_DATA_DIR" in said
    assert str(first.data_dir) in said
    assert first.terminate() == 0


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in its place, or a folder where nobody can write, even root."""
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below", Path("/proc/nowhere")):
        assert "METASTORE_DATA_DIR" in complaint_of(tmp_path, "--data-dir", str(place))


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    """Some other file lies where the database should be."""
    (tmp_path / "metastore.db").write_bytes(b"This is not a database. " * 100)
    url = f"sqlite+aiosqlite:///{tmp_path / 'metastore.db'}"
    assert "METASTORE_DATABASE_URL" in complaint_of(tmp_path, DATABASE_URL=url)


def test_a_database_that_does_not_answer_is_named_in_time(tmp_path: Path) -> None:
    """Something accepts the connection and says nothing."""
    with silent_server() as port:
        said = complaint_of(tmp_path, DATABASE_URL=f"postgresql+asyncpg://me@127.0.0.1:{port}/x")
        assert "METASTORE_DATABASE_URL" in said


def test_an_unknown_option_is_explained(tmp_path: Path) -> None:
    """The command line's own mistakes are no tracebacks either."""
    done = _run(tmp_path, "--prot", "1")
    assert done.returncode != 0
    assert "--prot" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def complaint_of(folder: Path, *options: str, **settings: str) -> str:
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
