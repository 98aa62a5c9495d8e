"""Integrity checks of objects that do not read their bytes.

The metadata is compared with its own digest, the object's folder and the length of the data file.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from metastore.adapters.object_store.local.layout import DATA, OBJECT_METADATA
from metastore.adapters.object_store.local.metadata import ObjectMetadata
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, StoredObject


def examine_object(folder: Path, key: str) -> ObjectMetadata:
    """Return the verified metadata of the object ``key`` in ``folder``. Blocks.

    Raises:
        ObjectNotFoundError: there is no such object.
        DamagedObjectError: a file is missing, the metadata is damaged, or the size is wrong.
    """
    if not folder.is_dir():
        raise ObjectNotFoundError(key)
    try:
        document = (folder / OBJECT_METADATA).read_bytes()
        size = (folder / DATA).stat().st_size
    except FileNotFoundError as error:
        # Folders are removed as a whole, so a missing file is damage, unless the folder was removed just now.
        if not folder.is_dir():
            raise ObjectNotFoundError(key) from None
        raise DamagedObjectError(f"{Path(error.filename).name} is missing") from None
    metadata = ObjectMetadata.decode(document)
    if metadata.key != key:
        raise DamagedObjectError("the metadata is that of another object")
    if metadata.size != size:
        raise DamagedObjectError(f"there are {size} bytes instead of {metadata.size}")
    return metadata


def readable_objects(documents: Iterable[bytes | None]) -> Iterator[StoredObject]:
    """Yield the objects whose metadata is readable."""
    for document in documents:
        if document is None:
            continue
        try:
            yield ObjectMetadata.decode(document).stored()
        except DamagedObjectError:
            continue
