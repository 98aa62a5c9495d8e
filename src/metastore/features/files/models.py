"""The tables of folders and files, and of the rights that others have on them."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.database.tables import Base, PartialIndex, UtcDateTime

FOLDER = "folder"
FILE = "file"

UPLOADING = "UPLOADING"
PROCESSING = "PROCESSING"
READY = "READY"
FAILED = "FAILED"

KEPT = "KEPT"
PURGING = "PURGING"

_FOLDER_KEY = text("coalesce(parent_id, '')")


_LIVE = text("trashed_at IS NULL")


def _binary(length: int) -> String:
    """Return a string type that is ordered by its bytes: SQLite's default, collation ``C`` in PostgreSQL."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Node(Base):
    """A folder or a file.

    The list indexes serve every sort order in both directions: a list reads the folders, then the files, each as one
    range.
    """

    __tablename__ = "nodes"
    __table_args__ = (
        CheckConstraint("kind IN ('folder', 'file')", name="kind"),
        CheckConstraint("size >= 0", name="size"),
        PartialIndex("uq_nodes_name", "owner_id", _FOLDER_KEY, "name", unique=True, where=_LIVE),
        PartialIndex("ix_nodes_by_name", "owner_id", _FOLDER_KEY, "kind", "name_key", "id", where=_LIVE),
        PartialIndex("ix_nodes_by_size", "owner_id", _FOLDER_KEY, "kind", "size", "id", where=_LIVE),
        PartialIndex("ix_nodes_by_created_at", "owner_id", _FOLDER_KEY, "kind", "created_at", "id", where=_LIVE),
        PartialIndex("ix_nodes_by_updated_at", "owner_id", _FOLDER_KEY, "kind", "updated_at", "id", where=_LIVE),
        Index("ix_nodes_parent_id", "parent_id"),
        PartialIndex("ix_nodes_trash", "owner_id", "trashed_at", "id", where=text("trash_state = 'KEPT'")),
        PartialIndex("ix_nodes_trash_age", "trashed_at", where=text("trash_state = 'KEPT'")),
        Index("ix_nodes_trash_root_id", "trash_root_id", "id"),
        PartialIndex("ix_nodes_object_key", "object_key", where=text("object_key IS NOT NULL")),
        PartialIndex("ix_nodes_purging", "owner_id", "id", where=text("trash_state = 'PURGING'")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id"))
    parent_id: Mapped[str | None] = mapped_column(String(36), ForeignKey("nodes.id", ondelete="SET NULL"))
    """The folder that contains it; ``None`` is the root. A trash root outlives its folder."""
    kind: Mapped[str] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(_binary(255))
    """In NFC, at most 255 bytes of UTF-8; see ``tree.names``."""
    name_key: Mapped[str] = mapped_column(_binary(255))
    """The key that lists are sorted by; see ``tree.names.name_key``."""
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    mime_type: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[str] = mapped_column(String(10), default=READY)
    visibility: Mapped[str] = mapped_column(String(7), default="PRIVATE")
    moderation: Mapped[str] = mapped_column(String(8), default="NONE")
    object_key: Mapped[str | None] = mapped_column(String(200))
    """The key of the object with its bytes; ``None`` for folders and while UPLOADING."""
    object_etag: Mapped[str | None] = mapped_column(String(200))
    checksum: Mapped[str | None] = mapped_column(String(200))
    crc32: Mapped[int | None] = mapped_column(BigInteger)
    """The CRC-32 of its bytes, once known."""
    damage: Mapped[str | None] = mapped_column(String(200))
    """What a check found wrong with the object; a damaged file cannot be downloaded."""
    thumbnail_key: Mapped[str | None] = mapped_column(String(200))
    """The key of its thumbnail, if it has one."""
    playable_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it became playable as a stream; further renditions may still be in progress."""
    version: Mapped[int] = mapped_column(default=1)
    """Incremented by every change to the row; part of the HTTP ``ETag``."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trashed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trash_root_id: Mapped[str | None] = mapped_column(String(36))
    """The node that was trashed together with everything below it, this node included; its own ID for a trash root."""
    trash_state: Mapped[str | None] = mapped_column(String(7))
    """Only for trash roots: KEPT, or PURGING while its rows are deleted in batches and its owner no longer sees it."""


class Grant(Base):
    """What a node's owner allows somebody else to do with the node and everything below it."""

    __tablename__ = "grants"
    __table_args__ = (
        PartialIndex("uq_grants_subject", "node_id", "subject_id", unique=True, where=text("revoked_at IS NULL")),
        PartialIndex("ix_grants_subject_id", "subject_id", "id", where=text("revoked_at IS NULL")),
        PartialIndex("ix_grants_owner_id", "owner_id", "id", where=text("revoked_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    node_id: Mapped[str] = mapped_column(String(36), ForeignKey("nodes.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id"))
    """The owner of the node."""
    subject_id: Mapped[str] = mapped_column(String(36))
    """Who has the rights: a user or a share link."""
    version: Mapped[int]
    """A visitor who opened the link under another version has them no longer. Always 0 for users."""
    rights: Mapped[int]
    """The bits of ``tree.rights.Right``."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NodeRow(NamedTuple):
    """The columns of a node that lists need; cheaper to load than the mapped object."""

    id: str
    parent_id: str | None
    kind: str
    name: str
    name_key: str
    size: int
    mime_type: str
    status: str
    visibility: str
    moderation: str
    checksum: str | None
    damage: str | None
    thumbnail_key: str | None
    playable_at: datetime | None
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


class LocatedNode(NamedTuple):
    """A node as ``NodeRow`` has it, with its owner, version and object, and the path of its folder."""

    id: str
    parent_id: str | None
    kind: str
    name: str
    name_key: str
    size: int
    mime_type: str
    status: str
    visibility: str
    moderation: str
    checksum: str | None
    damage: str | None
    thumbnail_key: str | None
    playable_at: datetime | None
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None
    owner_id: str
    version: int
    object_key: str | None
    trash_state: str | None
    folder_path: str
    """``/`` is the root."""


LISTED_COLUMNS = tuple(getattr(Node, name) for name in NodeRow._fields)

AnyNode = Node | NodeRow | LocatedNode
"""A node in any form that has the fields of ``NodeRow``."""
