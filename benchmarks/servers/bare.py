"""Bare FastAPI: what a request costs before a product does anything. The reference for the product's small requests."""

import sqlite3
import sys
from pathlib import Path

from fastapi import FastAPI

from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

ROWS = 100
_ROOT = Path(__file__).parent.parent.parent


class Bare:
    """A FastAPI application without middleware on uvicorn, with an SQLite database of ``ROWS`` rows."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.servers.bare:create_app"]
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]
        self.process = ServerProcess([*command, *options], port, folder, {"PYTHONPATH": str(_ROOT)})

    def end(self) -> None:
        """Stop the server."""
        self.process.end()


def create_app() -> FastAPI:
    """Make the application, with a database in the working directory."""
    connection = sqlite3.connect("bare.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    columns = ("id", "name", "path", "parentId", "size", "mimeType", "status", "checksum", "createdAt", "updatedAt")
    connection.execute(f"CREATE TABLE files ({', '.join(columns)}, PRIMARY KEY (id))")
    for number in range(ROWS):
        connection.execute(
            f"INSERT INTO files VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  only question marks
            [f"{number:036}", *(f"a value of {column}" for column in columns[1:])],
        )
    app = FastAPI()

    @app.get("/nothing")
    async def nothing() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/row")
    async def row() -> dict[str, str]:
        return dict(connection.execute("SELECT * FROM files WHERE id = ?", [f"{7:036}"]).fetchone())

    @app.get("/rows")
    async def rows() -> dict[str, list[dict[str, str]]]:
        return {"items": [dict(one) for one in connection.execute("SELECT * FROM files ORDER BY id LIMIT 100")]}

    return app
