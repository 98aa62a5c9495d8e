"""Serialization of nodes as the API returns them.

Lists are built as plain dictionaries and encoded to JSON directly: validating a hundred models would take longer than
reading the rows. Single resources are models built from the same dictionaries, so both have the same shape.
"""

import zlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import JsonValue

from metastore.features.files.models import FAILED, FOLDER, PROCESSING, READY, UPLOADING, AnyNode, LocatedNode, Node
from metastore.features.files.repository import Ancestor
from metastore.features.files.representation.node_urls import NO_URLS, NodeUrls
from metastore.features.files.schemas import FileOut, FolderOut
from metastore.kit.clock import rfc3339
from metastore.kit.problems.reason_codes import ReasonCode, known_reason
from metastore.kit.saga.models import RUNNING, Saga

Body_co = TypeVar("Body_co", bound=FileOut | FolderOut, covariant=True)

_PROCESSING: dict[str, dict[str, JsonValue]] = {
    status: {"step": step, "state": state, "progress": progress, "error": None, "reasonCode": None, "retryable": False}
    for status, step, state, progress in (
        (READY, None, "DONE", 100),
        (UPLOADING, "upload", "PENDING", 0),
        (PROCESSING, None, "PENDING", 0),
        (FAILED, None, "FAILED", 0),
    )
}


@dataclass(frozen=True, slots=True)
class WithETag(Generic[Body_co]):
    """A single resource with its HTTP ETag (RFC 9110), quotes included."""

    body: Body_co
    etag: str


def folder_json(row: AnyNode | Ancestor, folder_path: str) -> dict[str, JsonValue]:
    """Return the fields of a folder in ``folder_path`` (``/`` is the root); for a file, the fields both kinds have."""
    return {
        "kind": row.kind,
        "id": row.id,
        "name": row.name,
        "path": join_path(folder_path, row.name),
        "parentId": row.parent_id,
        "createdAt": rfc3339(row.created_at),
        "updatedAt": rfc3339(row.updated_at),
    }


def node_json(
    row: AnyNode, folder_path: str, *, saga: Saga | None = None, urls: NodeUrls = NO_URLS
) -> dict[str, JsonValue]:
    """Return the fields of a file or folder in ``folder_path``; ``saga`` is needed for a PROCESSING or FAILED file."""
    fields = folder_json(row, folder_path)
    if row.kind != FOLDER:
        fields |= {
            "size": row.size,
            "mimeType": row.mime_type,
            "status": FAILED if row.damage else row.status,
            "visibility": row.visibility,
            "moderation": row.moderation,
            "checksum": row.checksum,
            "thumbnailUrl": urls.thumbnail,
            "streamUrl": urls.stream,
            "processing": _damaged(row.damage) if row.damage else _processing(row.status, saga),
        }
    return fields


def _processing(status: str, saga: Saga | None) -> dict[str, JsonValue]:
    if saga is None or status in (READY, UPLOADING):
        return _PROCESSING[status]
    if status == FAILED:
        step = saga.failed_step or saga.step
        return _failed(step, saga.error, known_reason(saga.error_code), retryable=saga.retryable)
    started = saga.attempts > 0 or saga.state != RUNNING
    return {
        "step": saga.step,
        "state": "RUNNING" if started else "PENDING",
        "progress": saga.progress,
        "error": None,
        "reasonCode": None,
        "retryable": False,
    }


def _damaged(reason: str) -> dict[str, JsonValue]:
    return _failed("storage", reason, ReasonCode.BYTES_DAMAGED, retryable=False)


def _failed(step: str, error: str | None, code: ReasonCode | None, *, retryable: bool) -> dict[str, JsonValue]:
    return {
        "step": step,
        "state": "FAILED",
        "progress": 100,
        "error": error,
        "reasonCode": code.value if code else None,
        "retryable": retryable,
    }


def file_with_etag(
    node: Node | LocatedNode, folder_path: str, *, saga: Saga | None = None, urls: NodeUrls = NO_URLS
) -> WithETag[FileOut]:
    """Return a file with its ETag; parameters as in ``node_json``."""
    fields = node_json(node, folder_path, saga=saga, urls=urls)
    return WithETag(FileOut.model_validate(fields), etag_of(node, folder_path))


def folder_with_etag(node: Node | LocatedNode, folder_path: str) -> WithETag[FolderOut]:
    """Return a folder with its ETag."""
    return WithETag(FolderOut.model_validate(node_json(node, folder_path)), etag_of(node, folder_path))


def join_path(folder_path: str, name: str) -> str:
    """Return the path of the node with this name in the folder."""
    return f"{folder_path.rstrip('/')}/{name}"


def etag_of(node: Node | LocatedNode, folder_path: str) -> str:
    """Return the ETag of a node's current representation."""
    # The representation includes the path, which changes without the row if an ancestor is renamed.
    return f'"{node.version}-{zlib.crc32(folder_path.encode()):08x}"'
