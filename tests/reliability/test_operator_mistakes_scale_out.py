"""Scale-out processes reject settings that only a single process can use, in one line with exit code 2."""

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
def test_what_cannot_be_shared_is_named(tmp_path: Path, command: str, missing: str) -> None:
    """Its name and the command are in the one line that is printed."""
    said = complaint_of(tmp_path, command, {name: value for name, value in SHARED.items() if name != missing})
    assert f"METASTORE_{missing}" in said
    assert f"metastore {command}" in said


def test_a_cache_without_an_address_is_named(tmp_path: Path) -> None:
    """Half an address is none."""
    assert "METASTORE_CACHE_URL" in complaint_of(tmp_path, "api", {**SHARED, "CACHE_URL": "redis://"})


def complaint_of(folder: Path, command: str, settings: dict[str, str]) -> str:
    """Return the line that the command ends with."""
    process = MetastoreProcess(folder / "product", settings)
    done = run([COMMAND, command], cwd=folder, environment=process.environment())
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("metastore: ")
    return line
