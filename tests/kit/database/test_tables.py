"""Declarations of tables mean the same on both databases."""

import subprocess
import sys

import pytest
from sqlalchemy import Column, MetaData, String, Table, make_url, text
from sqlalchemy.schema import CreateIndex

from metastore.kit.database.tables import PartialIndex

_DECLARATION = """
import sys
from sqlalchemy import text
from metastore.kit.database.tables import PartialIndex
PartialIndex("ix_things_live", "name", where=text("trashed_at IS NULL"))
print(*(name for name in sys.modules if name.startswith("sqlalchemy.dialects.postgresql")))
"""


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+asyncpg://"])
def test_a_partial_index_has_its_condition_on_every_database(url: str) -> None:
    things = Table("things", MetaData(), Column("name", String))
    index = PartialIndex("ix_things_live", things.c.name, where=text("trashed_at IS NULL"), unique=True)

    statement = str(CreateIndex(index).compile(dialect=make_url(url).get_dialect()()))

    assert statement == "CREATE UNIQUE INDEX ix_things_live ON things (name) WHERE trashed_at IS NULL"


def test_declaring_a_partial_index_imports_no_dialect() -> None:
    imported = subprocess.run([sys.executable, "-c", _DECLARATION], capture_output=True, text=True, check=True).stdout
    assert imported.strip() == ""
