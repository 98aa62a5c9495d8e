"""Cutting a file into parts, and checking what a client says it sent."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from metastore.features.files.content_type import SNIFFED_BYTES, content_type_of, is_media, is_office
from metastore.features.uploads.models import Upload
from metastore.features.uploads.refusals import problem_of_store, upload_not_found
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.ports.object_store import CompletedPart, ObjectNotFoundError, ObjectStore, ObjectStoreError, UploadTarget

MAX_PARTS = 10_000
"""The limit of S3, and of the API."""
_MIB = 2**20


def choose_part_size(size: int, preferred: int) -> int:
    """``preferred`` bytes, or the least whole MiB that keeps a file of ``size`` bytes within 10,000 parts."""
    if size <= preferred * MAX_PARTS:
        return preferred
    least = -(-size // MAX_PARTS)
    return -(-least // _MIB) * _MIB


def named_parts(parts: Sequence[CompletedPart], count: int) -> list[CompletedPart]:
    """``parts`` in order of number, ETags without quotes, when they are exactly 1 to ``count``.

    Raises:
        Problem: 400 ``invalid-part`` for a number out of range or named twice, ``missing-part`` for one not named.
    """
    by_number: dict[int, CompletedPart] = {}
    for part in parts:
        if not 1 <= part.number <= count or part.number in by_number:
            reason = "is listed twice" if part.number in by_number else f"is not between 1 and {count}"
            raise Problem(400, ProblemCode.INVALID_PART, f"Part {part.number} {reason}.", partNumber=part.number)
        by_number[part.number] = CompletedPart(part.number, unquoted(part.etag))
    for number in range(1, count + 1):
        if number not in by_number:
            raise Problem(400, ProblemCode.MISSING_PART, f"Part {number} is missing.", partNumber=number)
    return [by_number[number] for number in range(1, count + 1)]


def part_digest(parts: Sequence[CompletedPart]) -> str:
    """The same for the same parts with the same ETags, and for no others."""
    return sha256("".join(f"{part.number} {part.etag}\n" for part in parts).encode()).hexdigest()


def unquoted(etag: str) -> str:
    """An ETag as stores compare it: without HTTP's quotes, if it came with them."""
    return etag[1:-1] if len(etag) >= 2 and etag[0] == etag[-1] == '"' else etag


def target_of(upload: Upload) -> UploadTarget:
    """An upload as the store knows it."""
    return UploadTarget(
        key=upload.object_key,
        upload_id=upload.store_upload_id or "",
        size=upload.size,
        part_size=upload.part_size,
    )


async def part_urls(store: ObjectStore, upload: Upload, expires_in: int) -> list[str]:
    """Where each part goes, for that many seconds."""
    target = target_of(upload)
    return await store.presign_parts(target, range(1, target.part_count + 1), expires_in=expires_in)


async def look_into(store: ObjectStore, upload: Upload, name: str, can_show: Callable[[str], bool]) -> tuple[str, bool]:
    """What has arrived under that name, and whether it is something to be processed.

    Raises:
        Problem: 404 when it is gone, 503 or 507 when the store is away or full.
    """
    head = await _first_bytes(store, upload.object_key, SNIFFED_BYTES)
    kind = content_type_of(head, name, upload.mime_type)
    return kind, is_media(head, name) and (not is_office(kind) or can_show(kind))


async def _first_bytes(store: ObjectStore, key: str, length: int) -> bytes:
    try:
        return b"".join([chunk async for chunk in store.read(key, length=length)])
    except ObjectNotFoundError:
        raise upload_not_found() from None
    except ObjectStoreError as error:
        raise problem_of_store(error) from error
