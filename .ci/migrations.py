"""Keep the migrations consistent with the models.

``check`` fails if the revisions and the models differ. ``new MESSAGE`` writes the missing revision. Review it before
you commit it: expression indexes, partial indexes, data and triggers are not generated reliably.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from metastore import migrations
from tests.fixtures.tables import all_tables, differences


def new(url: str, message: str) -> int:
    """Write the next revision, numbered after the newest one."""
    newest = migrations.head()

    def write(connection: Connection) -> None:
        config = migrations.configuration()
        config.attributes.update(connection=connection, target_metadata=all_tables())
        command.revision(config, message, autogenerate=True, rev_id=f"{int(newest or 0) + 1:04}")

    asyncio.run(_connected(url, write))
    return 0


def check(url: str) -> int:
    """Compare models and revisions, only on SQLite because that is fast; the tests compare both databases fully."""
    found: list[object] = []
    asyncio.run(_connected(url, lambda connection: found.extend(differences(connection))))
    for change in found:
        print(f"The models and the migrations differ: {change}", file=sys.stderr)
    if found:
        print('Write the missing revision with: make migration MESSAGE="…"', file=sys.stderr)
    return 1 if found else 0


async def _connected(url: str, work: object) -> None:
    assert callable(work)
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()


def main(arguments: list[str]) -> int:
    """Run the command in ``arguments`` on a scratch database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder)}/scratch.db"
        asyncio.run(migrations.upgrade(url))
        match arguments:
            case ["check"]:
                return check(url)
            case ["new", message] if message:
                return new(url, message)
    print("usage: migrations.py check | new MESSAGE", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
