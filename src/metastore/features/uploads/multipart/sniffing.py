"""The content type of an uploaded object, detected from its first bytes."""

from collections.abc import Callable

from metastore.features.files.content.sniffing import (
    SNIFFED_BYTES,
    is_office_document,
    sniff_content,
)
from metastore.features.uploads.models import Upload
from metastore.features.uploads.multipart.problems import problem_of_store, upload_not_found
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore, ObjectStoreError


def examine(head: bytes, name: str, claimed: str, can_preview: Callable[[str], bool]) -> tuple[str, bool]:
    """Return the content type of a file with these first bytes, and whether it needs processing.

    ``can_preview`` tells whether previews of an office document of a content type can be made.
    """
    mime_type, is_media = sniff_content(head, name, claimed)
    return mime_type, is_media and (not is_office_document(mime_type) or can_preview(mime_type))


async def sniff(store: ObjectStore, upload: Upload, name: str, can_preview: Callable[[str], bool]) -> tuple[str, bool]:
    """Return what ``examine`` finds in the uploaded object.

    Raises:
        Problem: 404 when the object is gone, 503 or 507 when the store is unavailable or full.
    """
    head = await _first_bytes(store, upload.object_key, SNIFFED_BYTES)
    return examine(head, name, upload.mime_type, can_preview)


async def _first_bytes(store: ObjectStore, key: str, length: int) -> bytes:
    try:
        return b"".join([chunk async for chunk in store.read(key, length=length)])
    except ObjectNotFoundError:
        raise upload_not_found() from None
    except ObjectStoreError as error:
        raise problem_of_store(error) from error
