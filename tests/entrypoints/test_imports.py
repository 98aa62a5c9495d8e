"""The embedded product imports nothing that it does not use: that takes time at its start, and memory."""

import asyncio
import sys
from pathlib import Path

from tests.fixtures.databases import make_sqlite_database

UNUSED = {
    "aio_pika",
    "aiobotocore",
    "aiohttp",
    "aiokafka",
    "alembic",
    "asyncpg",
    "av",
    "botocore",
    "charset_normalizer",
    "cyclopts",
    "engineio",
    "numpy",
    "PIL",
    "pypdfium2",
    "pyvips",
    "redis",
    "requests",
    "socketio",
    "sqlalchemy.dialects.postgresql",
}
"""Libraries for other databases, stores, brokers and caches, for media, for the command line, and for open sockets."""

_BUILD = """
import asyncio, metastore.entrypoints.serve as serve
from metastore.config import load_settings

async def start():
    async with serve.running_product(load_settings(_env_file=None)) as (product, _):
        serve.build_asgi(product)

asyncio.run(serve.bootstrap.prepare_database(load_settings(_env_file=None)))
asyncio.run(start())
"""


async def test_the_entry_points_import_nothing_that_may_be_unused() -> None:
    """Those of all processes that serve or work."""
    assert set() == UNUSED & await _imported_by("from metastore.entrypoints import api, http, serve, workers")


async def test_the_embedded_product_starts_without_what_it_does_not_use(tmp_path: Path) -> None:
    """On a data folder that exists: creating its tables takes Alembic."""
    make_sqlite_database(tmp_path / "metastore.db")
    assert set() == UNUSED & await _imported_by(_BUILD, METASTORE_DATA_DIR=str(tmp_path))


async def _imported_by(program: str, **environment: str) -> set[str]:
    """Return the modules that a new process has imported after running ``program``."""
    program += "\nimport sys; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", program, stdout=asyncio.subprocess.PIPE, env=environment
    )
    output, _ = await process.communicate()
    assert 0 == process.returncode
    return set(output.decode().split())
