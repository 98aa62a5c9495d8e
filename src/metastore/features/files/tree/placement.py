"""Placing stored objects as new files in an owner's tree, one or hundreds in a few statements.

The caller holds the owner's lock.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from metastore.features.files import repository
from metastore.features.files.events import FolderCreated
from metastore.features.files.models import FILE, FOLDER, PROCESSING, READY, NodeRow
from metastore.features.files.tree import placement_queries
from metastore.features.files.tree.names import name_key, numbered_name, numbered_name_parts
from metastore.features.files.tree.paths import ROOT, name_taken
from metastore.features.files.tree.placement_queries import Place
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem, unavailable

FolderNames = tuple[str, ...]
"""The normalized names of a folder and all folders above it, from the root down; empty for the root."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A stored object that becomes a file; ``name`` is normalized, ``size`` in bytes, ``crc32`` that of its bytes."""

    folders: FolderNames
    name: str
    size: int
    mime_type: str
    visibility: str
    object_key: str
    etag: str
    checksum: str | None
    needs_processing: bool
    crc32: int | None = None


class PlacedFile(NamedTuple):
    """A new file's row and the path of its folder."""

    row: NodeRow
    folder_path: str

    @property
    def needs_processing(self) -> bool:
        """Whether it is PROCESSING rather than READY."""
        return self.row.status == PROCESSING


async def place_files(
    tx: Transaction, owner_id: str, files: Sequence[NewFile], now: datetime
) -> list[PlacedFile | Problem]:
    """Insert the files, and the folders that are missing; return a row or the reason for having none for each.

    A name that is taken, by an earlier one of ``files`` too, becomes ``name (1).ext``. The reason is 409 ``name-taken``
    for a path that leads through a file.

    Raises:
        Problem: 503 if another writer has taken a name, which the owner's lock excludes.
    """
    known = await _resolve(tx, owner_id, files)
    await _create_missing(tx, owner_id, {file.folders for file in files}, known, now)
    parents = [known[file.folders] for file in files]
    placeable = [(parent, file) for parent, file in zip(parents, files, strict=True) if not isinstance(parent, Problem)]
    if len(files) == 1 and (*files[0].folders, files[0].name) not in known:
        names = iter([files[0].name])
    else:
        names = iter(await _free_names(tx, owner_id, [(parent, file.name) for parent, file in placeable]))
    placed: list[PlacedFile | Problem] = []
    rows: list[dict[str, object]] = []
    for parent, file in zip(parents, files, strict=True):
        if isinstance(parent, Problem):
            placed.append(parent)
            continue
        row = _file_row(parent, next(names), file, now)
        rows.append(_columns(row, owner_id, file))
        placed.append(PlacedFile(row, ROOT + "/".join(file.folders)))
    if rows:
        await _insert(tx, rows)
    return placed


async def _resolve(tx: Transaction, owner_id: str, files: Sequence[NewFile]) -> dict[FolderNames, str | Problem]:
    """Return the IDs of the folders that exist, empty for the root; a problem where a file is in the way.

    Of a single file, what already has its name is there too, so that it takes no statement more.
    """
    known: dict[FolderNames, str | Problem] = {(): ""}
    wanted = {file.folders for file in files}
    if len(files) == 1:
        await _resolve_one(tx, owner_id, (*files[0].folders, files[0].name), known)
    elif len(wanted) == 1:
        await _resolve_one(tx, owner_id, next(iter(wanted)), known)
    else:
        await _resolve_many(tx, owner_id, wanted, known)
    return known


async def _create_missing(
    tx: Transaction,
    owner_id: str,
    wanted: Collection[FolderNames],
    known: dict[FolderNames, str | Problem],
    now: datetime,
) -> None:
    """Create the folders that are missing and add them to ``known``."""
    rows: list[dict[str, object]] = []
    every_level = {names[:depth] for names in wanted for depth in range(1, len(names) + 1)}
    for path in sorted(every_level, key=len):
        parent = known[path[:-1]]
        if path in known:
            continue
        if isinstance(parent, Problem):
            known[path] = parent
            continue
        rows.append(_folder_row(parent, path[-1], owner_id, now))
        known[path] = folder_id = str(rows[-1]["id"])
        tx.record(FolderCreated(folder_id=folder_id, owner_id=owner_id, name=path[-1], parent_id=parent or None))
    if rows:
        await _insert(tx, rows)


async def _resolve_one(
    tx: Transaction, owner_id: str, path: FolderNames, known: dict[FolderNames, str | Problem]
) -> None:
    for depth, node in enumerate(await repository.resolve_path(tx, owner_id, path), 1):
        known[path[:depth]] = node.id if node.kind == FOLDER else name_taken(node.name)


async def _resolve_many(
    tx: Transaction, owner_id: str, wanted: Iterable[FolderNames], known: dict[FolderNames, str | Problem]
) -> None:
    """Resolve all paths with one statement for each level of folders, of which there are few."""
    level = {path[:1] for path in wanted if path}
    depth = 1
    while level:
        places = {_place_of(path, known): path for path in level}
        for place, (node_id, kind) in (await placement_queries.find_places(tx, owner_id, places)).items():
            known[places[place]] = node_id if kind == FOLDER else name_taken(place[1])
        depth += 1
        level = {
            path[:depth]
            for path in wanted
            if len(path) >= depth and isinstance(known.get(path[: depth - 1], name_taken("")), str)
        }


def _place_of(path: FolderNames, known: dict[FolderNames, str | Problem]) -> Place:
    return str(known[path[:-1]]), path[-1]


async def _free_names(tx: Transaction, owner_id: str, places: Sequence[Place]) -> list[str]:
    """Return a free name for each place, in order: its own, or a numbered one."""
    if not places:
        return []
    taken = set(await placement_queries.find_places(tx, owner_id, dict.fromkeys(places)))
    if not taken and max(Counter(places).values()) == 1:
        return [name for _, name in places]
    prefixes = {(parent, numbered_name_parts(name)[0]) for parent, name in places}
    taken |= await placement_queries.numbered_names(tx, owner_id, prefixes)
    by_folder: dict[str, set[str]] = {}
    for parent, name in taken:
        by_folder.setdefault(parent, set()).add(name)
    names = []
    for parent, name in places:
        siblings = by_folder.setdefault(parent, set())
        names.append(numbered_name(name, siblings))
        siblings.add(names[-1])
    return names


async def _insert(tx: Transaction, rows: Sequence[dict[str, object]]) -> None:
    try:
        await placement_queries.insert_nodes(tx, rows)
    except IntegrityError as error:
        if not repository.is_name_taken(error):
            raise
        raise unavailable("No free name was found.") from error


def _folder_row(parent: str, name: str, owner_id: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "owner_id": owner_id,
        "parent_id": parent or None,
        "kind": FOLDER,
        "name": name,
        "name_key": name_key(name),
        "created_at": now,
        "updated_at": now,
    }


def _file_row(parent: str, name: str, file: NewFile, now: datetime) -> NodeRow:
    return NodeRow(
        id=new_id(),
        parent_id=parent or None,
        kind=FILE,
        name=name,
        name_key=name_key(name),
        size=file.size,
        mime_type=file.mime_type,
        status=PROCESSING if file.needs_processing else READY,
        visibility=file.visibility,
        moderation="NONE",
        checksum=file.checksum,
        damage=None,
        thumbnail_key=None,
        playable_at=None,
        created_at=now,
        updated_at=now,
        trashed_at=None,
    )


def _columns(row: NodeRow, owner_id: str, file: NewFile) -> dict[str, object]:
    own = {"owner_id": owner_id, "object_key": file.object_key, "object_etag": file.etag, "crc32": file.crc32}
    return {**row._asdict(), **own}
