"""Scale-out processes reject settings that only a single process can use, with one line and exit code 2."""

from pathlib import Path

import pytest

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.programs import COMMAND, run

SHARED = {
    "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/x",
    "STORAGE_URL": "s3://bucket?endpoint=http://127.0.0.1:1",
    "BROKER_URL": "amqp://127.0.0.1:1/",
    "CACHE_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "k" * 40,
}


@pytest.mark.parametrize(
    ("command", "missing"), [*(("api", name) for name in SHARED), ("relay", "DATABASE_URL"), ("worker", "BROKER_URL")]
)
def test_a_missing_shared_service_is_named(tmp_path: Path, command: str, missing: str) -> None:
    """The one line that is printed has the names of the setting and of the command."""
    message = error_line_of(tmp_path, command, {name: value for name, value in SHARED.items() if name != missing})
    assert f"METASTORE_{missing}" in message
    assert f"metastore {command}" in message


def test_a_cache_without_an_address_is_named(tmp_path: Path) -> None:
    """A URL needs a host."""
    assert "METASTORE_CACHE_URL" in error_line_of(tmp_path, "api", {**SHARED, "CACHE_URL": "redis://"})


def error_line_of(folder: Path, command: str, settings: dict[str, str]) -> str:
    """Return the single line on stderr of a command that must fail."""
    process = MetastoreProcess(folder / "product", settings)
    done = run([COMMAND, command], cwd=folder, environment=process.environment())
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("metastore: ")
    return line
