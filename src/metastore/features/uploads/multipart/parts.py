"""Part sizes, part URLs and validation of the parts that a client names."""

from collections.abc import Sequence
from hashlib import sha256

from metastore.features.uploads.models import Upload
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import CompletedPart, ObjectStore, UploadTarget

MAX_PARTS = 10_000
"""The limit of S3 and of the API."""
_MIB = 2**20


def choose_part_size(size: int, preferred: int) -> int:
    """Return ``preferred``, or the least multiple of 1 MiB that splits ``size`` bytes into at most 10,000 parts."""
    if size <= preferred * MAX_PARTS:
        return preferred
    least = -(-size // MAX_PARTS)
    return -(-least // _MIB) * _MIB


def named_parts(parts: Sequence[CompletedPart], count: int) -> list[CompletedPart]:
    """Return ``parts`` sorted by number, with unquoted ETags, if they are exactly 1 to ``count``.

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
    """Return a digest of part numbers and ETags, to recognize the same list of parts again."""
    return sha256("".join(f"{part.number} {part.etag}\n" for part in parts).encode()).hexdigest()


def unquoted(etag: str) -> str:
    """Return an ETag without HTTP's quotes."""
    return etag[1:-1] if len(etag) >= 2 and etag[0] == etag[-1] == '"' else etag


def target_of(upload: Upload) -> UploadTarget:
    """Return the store's description of an upload."""
    return UploadTarget(
        key=upload.object_key,
        upload_id=upload.store_upload_id or "",
        size=upload.size,
        part_size=upload.part_size,
    )


async def part_urls(store: ObjectStore, upload: Upload, expires_in: int) -> list[str]:
    """Presign the URLs of all parts, valid for ``expires_in`` seconds."""
    target = target_of(upload)
    return await store.presign_parts(target, range(1, target.part_count + 1), expires_in=expires_in)
