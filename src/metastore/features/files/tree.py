"""Finding a place in an owner's tree: folders by id or path, free names, depth.

Callers hold the owner's lock when they are about to change what they find.
"""

from metastore.features.files import repository
from metastore.features.files.events import FolderCreated
from metastore.features.files.models import FILE, FOLDER, PURGING, Node
from metastore.features.files.names import MAX_DEPTH, name_key, path_segments, too_deep, twin_name, twin_parts
from metastore.features.files.repository import Step
from metastore.kit.clock import Clock
from metastore.kit.database import Transaction
from metastore.kit.ids import is_id, new_id
from metastore.kit.problem import Problem, not_found
from metastore.kit.problem_codes import ProblemCode

ROOT = "/"


async def owned(tx: Transaction, owner_id: str, node_id: str, kind: str | None = None) -> Node:
    """The owner's node of that id, in the trash or not.

    Raises:
        Problem: 404 when there is none, it is of another kind, or it is somebody else's.
    """
    node = await repository.find(tx, node_id) if is_id(node_id) else None
    if (
        node is None
        or node.owner_id != owner_id
        or node.trash_state == PURGING
        or (kind is not None and node.kind != kind)
    ):
        raise not_found(kind or "file or folder", refused=node is not None and node.owner_id != owner_id)
    return node


async def owned_alive(tx: Transaction, owner_id: str, node_id: str, kind: str) -> Node:
    """As ``owned``, of what does not lie in the trash."""
    node = await owned(tx, owner_id, node_id, kind)
    if node.trashed_at is not None:
        raise not_found(kind)
    return node


async def path_of_folder(tx: Transaction, folder_id: str | None) -> str:
    """The path of a folder, ``/`` for the root."""
    if folder_id is None:
        return ROOT
    return path_along((await repository.way_to(tx, [folder_id])).get(folder_id, []))


def path_along(way: list[Step]) -> str:
    """The path that leads along these steps."""
    return ROOT + "/".join(step.name for step in way)


async def room_below(
    tx: Transaction, owner_id: str, folder_id: str | None, height: int, *, moving: str | None = None
) -> list[Step]:
    """The way to a folder that is to take in ``height`` more levels of folders, headed by the folder ``moving``.

    Raises:
        Problem: 404 when it is no folder of the owner's; 409 ``move-into-itself``; 422 ``path-too-deep``.
    """
    way = [] if folder_id is None else await folder_of(tx, owner_id, folder_id)
    if any(step.id == moving for step in way):
        raise Problem(
            409, ProblemCode.MOVE_INTO_ITSELF, "A folder cannot be moved into itself or into one of its subfolders."
        )
    if len(way) + height > MAX_DEPTH:
        raise too_deep()
    return way


async def require_free(tx: Transaction, owner_id: str, folder_id: str | None, name: str) -> None:
    """Return when nothing in the folder has that name.

    Raises:
        Problem: 409 ``name-taken``.
    """
    if await repository.named(tx, owner_id, folder_id, name) is not None:
        raise name_taken(name)


def name_taken(name: str) -> Problem:
    """409 ``name-taken``."""
    return Problem(409, ProblemCode.NAME_TAKEN, f"The folder already contains an item named '{name}'.")


async def free_name(tx: Transaction, owner_id: str, folder_id: str | None, name: str, kind: str) -> str:
    """``name``, or what its twin in that folder is to be called."""
    before, _ = twin_parts(name, folder=kind == FOLDER)
    taken = await repository.taken_names(tx, owner_id, folder_id, name, before)
    return twin_name(name, taken, folder=kind == FOLDER)


async def folder_of(tx: Transaction, owner_id: str, folder_id: str) -> list[Step]:
    """The way to the folder of that id, in one statement.

    Raises:
        Problem: 404 when it is no folder of the owner's, or lies in the trash.
    """
    way = (await repository.way_to(tx, [folder_id])).get(folder_id) if is_id(folder_id) else None
    if way is None:
        raise not_found("folder")
    folder = way[-1]
    if folder.owner_id != owner_id or folder.kind != FOLDER or folder.trashed_at is not None:
        raise not_found("folder", refused=folder.owner_id != owner_id)
    return way


async def folder_at(tx: Transaction, owner_id: str, path: str) -> list[Step]:
    """The way to the folder at ``path``, in one statement.

    Raises:
        Problem: 404 when there is none; 422 for what is no path.
    """
    segments = path_segments(path)
    way = await repository.walk(tx, owner_id, segments)
    if len(way) < len(segments) or (way and way[-1].kind != FOLDER):
        raise not_found("folder")
    return way


async def make_folders(tx: Transaction, owner_id: str, path: str, clock: Clock) -> tuple[str | None, str]:
    """The id and path of the folder at ``path``, which is made as far as it is missing. Takes the owner's lock.

    Raises:
        Problem: 409 ``name-taken`` when a file is in the way; 422 for what is no path.
    """
    segments = path_segments(path)
    await repository.lock_owner(tx, owner_id)
    found = await repository.walk(tx, owner_id, segments)
    if found and found[-1].kind == FILE:
        raise name_taken(found[-1].name)
    parent_id = found[-1].id if found else None
    made = []
    for name in segments[len(found) :]:
        made.append(new_folder(owner_id, parent_id, name, clock))
        parent_id = made[-1].id
    if made:
        await repository.add_all(tx, made)
    for folder in made:
        record_folder(tx, folder)
    return parent_id, ROOT + "/".join(segments)


def new_folder(owner_id: str, parent_id: str | None, name: str, clock: Clock) -> Node:
    """A folder that is not stored yet; ``name`` must be in its stored form."""
    now = clock()
    return Node(
        id=new_id(),
        owner_id=owner_id,
        parent_id=parent_id,
        kind=FOLDER,
        name=name,
        name_key=name_key(name),
        created_at=now,
        updated_at=now,
    )


def record_folder(tx: Transaction, folder: Node) -> None:
    """Record that ``folder`` was made."""
    tx.record(
        FolderCreated(folder_id=folder.id, owner_id=folder.owner_id, name=folder.name, parent_id=folder.parent_id)
    )
