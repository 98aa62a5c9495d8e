"""CRC-32 of stored files, which archives need: kept beside the file once somebody has computed it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, String, bindparam, select, update

from metastore.features.files.models import Node
from metastore.kit.database.command import Command, Nothing
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction


class StoredBytes(NamedTuple):
    """Identifies the bytes of a file; ``size`` in bytes."""

    file_id: str
    object_key: str
    size: int


class _KnownCrc(NamedTuple):
    id: str
    crc32: int


async def known_crcs(tx: Transaction, file_ids: Sequence[str]) -> dict[str, int]:
    """Return the known CRC-32 of these files, by ID."""
    return {row.id: row.crc32 for row in await tx.fetch(_KNOWN, ids=list(file_ids))}


async def keep_crcs(tx: Transaction, crcs: Mapping[StoredBytes, int]) -> None:
    """Keep the CRC-32 of files. Those that have other bytes by now, or no longer exist, are left as they are."""
    rows = [{"file": file.file_id, "key": file.object_key, "crc": crc} for file, crc in crcs.items()]
    await tx.execute_all(_KEEP, rows)


_NODES = table_of(Node).c
_KNOWN = Query(
    _KnownCrc,
    lambda dialect: select(Node.id, Node.crc32).where(one_of(Node.id, "ids", dialect), Node.crc32.is_not(None)),
)
_KEEP = Command(
    Nothing,
    update(table_of(Node))
    .where(_NODES.id == bindparam("file", type_=String), _NODES.object_key == bindparam("key", type_=String))
    .values(crc32=bindparam("crc", type_=BigInteger)),
)
