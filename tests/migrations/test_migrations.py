"""The migrations and the models agree, on both databases."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import create_async_engine

from metastore import migrations
from metastore.features.search.categories import category_of
from metastore.features.search.text_normalization import normalize_text
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.saga import sagas
from metastore.kit.saga.models import SagaRow
from tests.fixtures.postgres import Postgres
from tests.fixtures.tables import all_tables, catalogue, differences


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URLs of two empty databases; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/one.db", f"sqlite+aiosqlite:///{tmp_path}/two.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    names = server.create_database(), server.create_database()
    yield server.url(names[0]), server.url(names[1])
    for name in names:
        server.drop_database(name)


async def _catalogue(url: str) -> dict[str, str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(catalogue)
    await engine.dispose()
    return found


async def test_migrating_an_empty_database_creates_the_schema_of_the_models(empty_urls: tuple[str, str]) -> None:
    migrated, created = empty_urls
    await migrations.upgrade(migrated)
    engine = create_async_engine(created)
    async with engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    await engine.dispose()

    assert await _catalogue(created) == await _catalogue(migrated)


async def test_alembic_detects_no_difference_after_migrating(empty_urls: tuple[str, str]) -> None:
    await migrations.upgrade(empty_urls[0])
    engine = create_async_engine(empty_urls[0])
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_downgrading_to_base_removes_all_tables(empty_urls: tuple[str, str]) -> None:
    url = empty_urls[0]
    await migrations.upgrade(url)
    await migrations.downgrade(url, "base")

    assert await _catalogue(url) == {}
    assert await migrations.current(url) is None


async def test_migrating_twice_changes_nothing(empty_urls: tuple[str, str]) -> None:
    url = empty_urls[0]
    assert await migrations.pending(url)
    await migrations.upgrade(url)
    before = await _catalogue(url)
    await migrations.upgrade(url)

    assert await _catalogue(url) == before
    assert not await migrations.pending(url)
    assert await migrations.current(url) == migrations.head()


async def test_the_newest_revision_is_that_of_alembic() -> None:
    """It is read from the names of the files, without Alembic."""
    assert migrations.head() == ScriptDirectory.from_config(migrations.configuration()).get_current_head()


async def test_a_database_of_a_newer_version_is_refused(empty_urls: tuple[str, str]) -> None:
    url = empty_urls[0]
    await migrations.upgrade(url)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(migrations.UnknownRevisionError, match="9999"):
        await migrations.upgrade(url)


async def test_concurrent_upgrades_migrate_once(empty_urls: tuple[str, str]) -> None:
    url = empty_urls[0]
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, migrations.upgrade(url)) for _ in range(4)))

    assert await migrations.current(url) == migrations.head()


async def test_a_migrated_sqlite_file_can_be_opened(tmp_path: Path) -> None:
    """Its folder is created too."""
    url = f"sqlite+aiosqlite:///{tmp_path}/new/metastore.db"
    await migrations.upgrade(url)
    database = Database(url)
    await database.check()
    await database.aclose()


async def test_files_older_than_the_search_index_are_indexed(empty_urls: tuple[str, str]) -> None:
    """The revision has a copy of the search feature's rules, which must agree with them."""
    names = ["Báo cáo ĐẦU năm.PDF", "ﬁlm.mkv", "nothing"]
    await migrations.upgrade(empty_urls[0], "0001")
    database = Database(empty_urls[0])
    async with database.transaction() as tx:
        await _add_user(tx)
        for number, name in enumerate(names):
            await tx.session.execute(
                text(
                    "INSERT INTO nodes (id, owner_id, kind, name, name_key, size, mime_type, status, visibility,"
                    " moderation, version, created_at, updated_at) VALUES (:id, 'u', 'file', :name, :name, 0,"
                    " 'audio/x-unknown', 'READY', 'PRIVATE', 'NONE', 1, CURRENT_TIMESTAMP,"
                    " CURRENT_TIMESTAMP)"
                ),
                {"id": f"n{number}", "name": name},
            )
    await database.aclose()

    await migrations.upgrade(empty_urls[0])
    database = Database(empty_urls[0])
    async with database.reading() as tx:
        rows = await tx.session.execute(text("SELECT text, category FROM search_documents ORDER BY node_id"))
        assert [(normalize_text(name), category_of(name, "audio/x-unknown")) for name in names] == [
            tuple(row) for row in rows
        ]
    await database.aclose()


async def test_open_uploads_become_sagas_with_an_owner(empty_urls: tuple[str, str]) -> None:
    await migrations.upgrade(empty_urls[0], "0001")
    database = Database(empty_urls[0])
    async with database.transaction() as tx:
        await _add_user(tx)
        await tx.session.execute(
            text(
                "INSERT INTO nodes (id, owner_id, kind, name, name_key, size, mime_type, status, visibility,"
                " moderation, version, created_at, updated_at) VALUES ('n', 'u', 'file', 'a \"b\".txt', 'a', 5,"
                " 'text/plain', 'UPLOADING', 'PRIVATE', 'NONE', 1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
            )
        )
        await tx.session.execute(
            text(
                "INSERT INTO uploads (id, owner_id, file_id, object_key, size, part_size, mime_type, state, created_at,"
                " expires_at) VALUES ('up', 'u', 'n', 'files/up', 5, 5, 'text/plain', 'OPEN', CURRENT_TIMESTAMP,"
                " CURRENT_TIMESTAMP)"
            )
        )
    await database.aclose()

    await migrations.upgrade(empty_urls[0])
    database = Database(empty_urls[0])
    async with database.reading() as tx:
        row = (await tx.session.scalars(select(SagaRow).where(SagaRow.subject == "n"))).one()
    assert {"uploadId": "up", "ownerId": "u", "name": 'a "b".txt'} == row.data
    assert "u" == row.owner
    await database.aclose()


async def test_failures_older_than_reason_codes_keep_their_message(empty_urls: tuple[str, str]) -> None:
    await migrations.upgrade(empty_urls[0], "0003")
    database = Database(empty_urls[0])
    async with database.transaction() as tx:
        await tx.session.execute(
            text(
                "INSERT INTO sagas (id, kind, subject, state, step, attempts, token, outcome, error, retryable,"
                " progress, kept, data, created_at, updated_at) VALUES ('s', 'ingest', 'n', 'failed', 'probe', 3, 1,"
                " 'failed', 'It could not be looked into.', :yes, 100, :yes, '{}', CURRENT_TIMESTAMP,"
                " CURRENT_TIMESTAMP)"
            ),
            {"yes": True},
        )
    await database.aclose()

    await migrations.upgrade(empty_urls[0])
    database = Database(empty_urls[0])
    async with database.reading() as tx:
        saga = (await sagas.sagas_of(tx, "ingest", ["n"]))["n"]
    assert ("It could not be looked into.", None) == (saga.error, saga.error_code)
    await database.aclose()


async def _add_user(tx: Transaction) -> None:
    """Insert a user as of the first revision."""
    await tx.session.execute(
        text(
            "INSERT INTO users (id, username, username_key, email, email_key, display_name, password_hash, role,"
            " status, plan, storage_used, storage_reserved, storage_quota, created_at, updated_at)"
            " VALUES ('u', 'u', 'u', 'u', 'u', 'u', 'u', 'USER', 'ACTIVE', 'FREE', 0, 0, 0, CURRENT_TIMESTAMP,"
            " CURRENT_TIMESTAMP)"
        )
    )
