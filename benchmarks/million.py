"""Measure pages of a folder and searches in a million files, on SQLite and on PostgreSQL.

The rows are written as of revision 0008, so that the upgrade is measured as well. One owner has most files, and another
one a fifth as many; what is measured is what an endpoint awaits, without HTTP.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # the package has no types
from sqlalchemy import make_url

from deploy.local.servers import PostgreSql
from metastore import migrations
from metastore.features.auth.schemas import Caller
from metastore.features.files.listing.pages import folder_page
from metastore.features.files.schemas import FolderQuery
from metastore.features.files.tree.access import authorize_folder
from metastore.features.files.tree.rights import Right
from metastore.features.search.categories import category_of
from metastore.features.search.schemas import SearchQuery
from metastore.features.search.service import SearchService
from metastore.features.search.text_normalization import normalize_text
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id

FILES = 1_000_000
_OTHERS = FILES // 5
_LARGE_FOLDER = FILES // 5
_FOLDER = 2_000
_OLD = FILES // 20
"""Files of the first owner with a word that only the oldest have."""
_TIMES, _SECONDS = 200, 4.0
_REVISION = "0008"
_WORDS = (
    *("báo", "cáo", "tài", "chính", "hóa", "đơn", "ảnh", "meeting", "notes", "invoice", "budget", "draft", "final"),
    *("report", "summary", "holiday", "beach", "family", "backup", "project", "plan", "design", "review", "copy"),
    *("scan", "letter", "contract", "music", "song", "track"),
)
_EXTENSIONS = ["jpg", "jpg", "jpg", "png", "pdf", "docx", "xlsx", "mp4", "txt", "mp3"]
_SEARCHES = {
    "common: `img`": "img",
    "common, two words: `báo jpg`": "báo jpg",
    "rare, one file: `zanzibar`": "zanzibar",
    "5 % of the files, only the oldest: `sunset`": "sunset",
    "absent: `quetzal`": "quetzal",
    "absent, of frequent digits: `98765432`": "98765432",
    "one character: `a`": "a",
    "one character, absent: `#`": "#",
    "two characters: `po`": "po",
    "two characters, absent: `qj`": "qj",
}


@dataclass(frozen=True)
class Timing:
    """Seconds of one kind of request: the median and the 99th percentile."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Million:
    """The timings of one database, and the seconds that the upgrade to the newest revision took."""

    upgrade: float
    timings: dict[str, Timing]


def measure_million(folder: Path, log: Callable[[str], None]) -> dict[str, Million]:
    """Measure both databases, by name."""
    folder.chmod(0o755)  # PostgreSQL's user needs to traverse it
    measured = {"SQLite": asyncio.run(_measure(f"sqlite+aiosqlite:///{folder}/metastore.db", _fill_sqlite, log))}
    with _postgresql(folder) as url:
        measured["PostgreSQL"] = asyncio.run(_measure(url, _fill_postgresql, log))
    return measured


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    server = PostgreSql(folder / "postgresql", "benchmark", durable=False)
    server.launch()
    try:
        while not server.is_ready():
            time.sleep(0.1)
        yield server.url
    finally:
        server.end()


Rows = Iterator[tuple[Any, ...]]
Fill = Callable[[str, dict[str, tuple[Sequence[str], Rows]]], Awaitable[None]]


async def _measure(url: str, fill: Fill, log: Callable[[str], None]) -> Million:
    await migrations.upgrade(url, _REVISION)
    library = _Library()
    log("writing the rows")
    await fill(url, library.tables())
    log("upgrading")
    begin = time.perf_counter()
    await migrations.upgrade(url)
    upgrade = time.perf_counter() - begin
    await _settle(url)
    log("measuring")
    database = Database(url)
    try:
        return Million(upgrade, {name: await _timing(work) for name, work in _requests(database, library)})
    finally:
        await database.aclose()


def _requests(database: Database, library: "_Library") -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    search = SearchService()

    caller = _caller(library.owner)

    def page(folder_id: str, **query: object) -> Callable[[], Awaitable[object]]:
        wanted = FolderQuery.model_validate({"limit": 100, **query})

        async def read() -> object:
            async with database.reading() as tx:
                return await folder_page(tx, await authorize_folder(tx, caller, folder_id, Right.LIST), wanted)

        return read

    def found(owner: str, **query: object) -> Callable[[], Awaitable[object]]:
        wanted = SearchQuery.model_validate(query)

        async def read() -> object:
            async with database.reading() as tx:
                return await search.page(tx, _caller(owner), wanted)

        return read

    large = f"{_LARGE_FOLDER:,} files"
    yield f"first page of a folder of {_FOLDER:,} files", page(library.folders[1])
    for sort in ("name", "size", "updatedAt"):
        for order in ("asc", "desc"):
            yield f"first page of {large}, `{sort}` {order}", page(library.folders[0], sort=sort, order=order)
    for name, text in _SEARCHES.items():
        yield f"search, {name}", found(library.owner, q=text)
        yield f"search of the other owner, {name}", found(library.other, q=text)
    yield "search by type alone, rare", found(library.owner, type="folder")
    yield "search by type and word", found(library.owner, q="invoice", type="video")
    yield "search by time", found(library.owner, q="report", to="2020-06-01")


def _caller(owner: str) -> Caller:
    return Caller(owner, "user", "User", "USER", new_id())


async def _timing(work: Callable[[], Awaitable[object]]) -> Timing:
    await work()
    seconds: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(seconds) < _TIMES and time.perf_counter() < end:
        begin = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - begin)
    seconds.sort()
    return Timing(seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, len(seconds) * 99 // 100)])


class _Library:
    """The rows: two owners, their folders and files, and the documents of these in the search index."""

    def __init__(self) -> None:
        self.owner, self.other = new_id(), new_id()
        self._random = random.Random(1)
        self._first = datetime(2020, 1, 1, tzinfo=UTC)
        self.folders = [new_id() for _ in range(1 + (FILES + _OTHERS - _LARGE_FOLDER) // _FOLDER)]
        self._nodes: list[tuple[str, str, str | None, str, str, str, datetime]] = []

    def tables(self) -> dict[str, tuple[Sequence[str], Rows]]:
        """Return the columns and the rows of each table."""
        self._nodes = list(self._made())
        return {
            "users": (_USER, self._users()),
            "nodes": (_NODE, self._node_rows()),
            "search_documents": (_DOCUMENT, self._documents()),
        }

    def _made(self) -> Iterator[tuple[str, str, str | None, str, str, str, datetime]]:
        for number, folder in enumerate(self.folders):
            yield folder, self._owner_of(number), None, "folder", f"folder {number}", "", self._first
        moment = self._first
        for number in range(FILES + _OTHERS):
            moment += timedelta(microseconds=float(self._random.choice((1_000, 300_000, 600_000_000))))
            place = 0 if number < _LARGE_FOLDER else 1 + (number - _LARGE_FOLDER) // _FOLDER
            place = min(place, len(self.folders) - 1)
            yield new_id(), self._owner_of(place), self.folders[place], "file", *self._name(number), moment

    def _owner_of(self, folder: int) -> str:
        return self.other if folder % 6 == 5 else self.owner

    def _name(self, number: int) -> tuple[str, str]:
        choice = self._random
        if number == FILES // 2:
            return "Zanzibar.png", "image/png"
        if number < _OLD:
            return f"sunset {number}.jpg", "image/jpeg"
        if choice.random() < 0.5:
            return f"IMG_{20_100_000 + number // 100}_{choice.randrange(10**4):04}{number % 100:02}.jpg", "image/jpeg"
        words = " ".join(choice.choices(_WORDS, k=choice.randint(1, 3)))
        return f"{words} {number}.{choice.choice(_EXTENSIONS)}", "application/octet-stream"

    def _users(self) -> Rows:
        for number, owner in enumerate((self.owner, self.other)):
            name = f"user{number}"
            limits = ("USER", "ACTIVE", "FREE", 0, 0, 2**50)
            yield owner, name, name, name, name, name, "none", *limits, self._first, self._first

    def _node_rows(self) -> Rows:
        for node_id, owner, parent, kind, name, mime_type, moment in self._nodes:
            size = 0 if kind == "folder" else self._random.randrange(10**7)
            states = ("READY", "PRIVATE", "NONE", 1)
            yield node_id, owner, parent, kind, name, normalize_text(name), size, mime_type, *states, moment, moment

    def _documents(self) -> Rows:
        for node_id, owner, _, kind, name, mime_type, moment in self._nodes:
            category = "" if kind == "folder" else category_of(name, mime_type)
            yield node_id, owner, kind, category, mime_type, normalize_text(name), moment


_USER = (
    *("id", "username", "username_key", "email", "email_key", "display_name", "password_hash", "role", "status"),
    *("plan", "storage_used", "storage_reserved", "storage_quota", "created_at", "updated_at"),
)
_NODE = (
    *("id", "owner_id", "parent_id", "kind", "name", "name_key", "size", "mime_type", "status", "visibility"),
    *("moderation", "version", "created_at", "updated_at"),
)
_DOCUMENT = ("node_id", "owner_id", "kind", "category", "mime_type", "text", "updated_at")


async def _fill_sqlite(url: str, tables: dict[str, tuple[Sequence[str], Rows]]) -> None:
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-1000000", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table, (columns, rows) in tables.items():
            places = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  of constants
            connection.executemany(statement, map(_as_sqlite, rows))
        connection.execute("COMMIT")


def _as_sqlite(row: tuple[Any, ...]) -> list[Any]:
    return [
        value.replace(tzinfo=None).isoformat(" ", "microseconds") if isinstance(value, datetime) else value
        for value in row
    ]


async def _fill_postgresql(url: str, tables: dict[str, tuple[Sequence[str], Rows]]) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for table, (columns, rows) in tables.items():
            for batch in _batches(rows):
                await connection.copy_records_to_table(table, records=batch, columns=columns)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _settle(url: str) -> None:
    """Do what autovacuum would do soon."""
    if make_url(url).get_backend_name() != "sqlite":
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("VACUUM ANALYZE search_documents")
        await connection.close()


def _batches(rows: Rows) -> Iterator[Sequence[tuple[Any, ...]]]:
    while batch := list(islice(rows, 50_000)):
        yield batch
