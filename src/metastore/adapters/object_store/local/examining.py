"""Looking at objects with doubt: their facts against themselves, their folder and the length of their bytes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from metastore.adapters.object_store.local.facts import ObjectFacts
from metastore.adapters.object_store.local.layout import DATA, OBJECT_FACTS
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, StoredObject


def examine_object(folder: Path, key: str) -> ObjectFacts:
    """The facts of the object ``key`` in ``folder``. Blocks.

    Raises:
        ObjectNotFoundError: there is none.
        DamagedObjectError: half of it is gone, it is another object, or it has more or fewer bytes than it should.
    """
    if not folder.is_dir():
        raise ObjectNotFoundError(key)
    try:
        document = (folder / OBJECT_FACTS).read_bytes()
        size = (folder / DATA).stat().st_size
    except FileNotFoundError as error:
        # A folder goes as a whole, so what is left of one was damaged, unless it went this moment.
        if not folder.is_dir():
            raise ObjectNotFoundError(key) from None
        raise DamagedObjectError(f"{Path(error.filename).name} is missing") from None
    facts = ObjectFacts.decode(document)
    if facts.key != key:
        raise DamagedObjectError("the facts are those of another object")
    if facts.size != size:
        raise DamagedObjectError(f"there are {size} bytes instead of {facts.size}")
    return facts


def readable_objects(documents: Iterable[bytes | None]) -> Iterator[StoredObject]:
    """The objects whose facts can be read."""
    for document in documents:
        if document is None:
            continue
        try:
            yield ObjectFacts.decode(document).stored()
        except DamagedObjectError:
            continue
