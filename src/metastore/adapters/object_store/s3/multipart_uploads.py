"""Multipart uploads: list and check parts, and complete even if responses are lost."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from metastore.adapters.object_store.s3.calls import call, error_code, retries_of
from metastore.adapters.object_store.s3.checksums import bare_etag
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    ObjectNotFoundError,
    Part,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_BAD_PARTS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


async def received_parts(client: "S3Client", bucket: str, target: UploadTarget) -> list[Part]:
    """Return all versions of all received parts, by number and then oldest first; raises as in the port."""
    parts: list[tuple[datetime, Part]] = []
    marker = 0
    while True:
        try:
            page = await call(
                client.list_parts(Bucket=bucket, Key=target.key, UploadId=target.upload_id, PartNumberMarker=marker),
                about=target.upload_id,
            )
        except ObjectNotFoundError:
            # Ceph returns this for an aborted upload.
            raise UploadNotFoundError(target.upload_id) from None
        parts += [
            (item["LastModified"], Part(item["PartNumber"], bare_etag(item["ETag"]), item["Size"]))
            for item in page.get("Parts", [])
        ]
        next_marker = int(page.get("NextPartNumberMarker") or 0)
        if not page.get("IsTruncated") or next_marker <= marker:
            break
        marker = next_marker
    return [part for _, part in sorted(parts, key=lambda found: (found[1].number, found[0]))]


def latest_versions(parts: Sequence[Part]) -> list[Part]:
    """Return the latest version of each part."""
    return list({part.number: part for part in parts}.values())


def check_parts(target: UploadTarget, named: Sequence[CompletedPart], received: Sequence[Part]) -> None:
    """Compare the parts that the client named with those that the server received.

    Raises:
        InvalidPartError: for the first invalid part.
    """
    sizes = {(part.number, part.etag): part.size for part in received}
    numbers = {part.number for part in received}
    for index in range(max(target.part_count, len(named))):
        number = index + 1
        if index >= len(named) or named[index].number != number:
            raise InvalidPartError(number, "is not named, or not in order")
        if number > target.part_count:
            raise InvalidPartError(number, "is beyond the last part")
        if number not in numbers:
            raise InvalidPartError(number, "was not received")
        size = sizes.get((number, bare_etag(named[index].etag)))
        if size is None:
            raise InvalidPartError(number, "has another ETag")
        if size != target.part_length(number):
            raise InvalidPartError(number, "has another size")


async def complete(client: "S3Client", bucket: str, target: UploadTarget, named: Sequence[CompletedPart]) -> None:
    """Complete the upload; raises as in the port."""
    check_parts(target, named, await received_parts(client, bucket, target))
    parts = [{"PartNumber": part.number, "ETag": f'"{bare_etag(part.etag)}"'} for part in named]
    try:
        await call(
            client.complete_multipart_upload(
                Bucket=bucket,
                Key=target.key,
                UploadId=target.upload_id,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]  # the stubs expect a TypedDict
            ),
            about=target.upload_id,
        )
    except (UploadNotFoundError, ObjectNotFoundError) as error:
        if not retries_of(error.__cause__) or not await _object_exists(client, bucket, target):
            raise UploadNotFoundError(target.upload_id) from error
    except StoreUnavailableError as error:
        code = error_code(error.__cause__)
        if code in _BAD_PARTS:
            # A part was sent again between our check and the server's.
            check_parts(target, named, await received_parts(client, bucket, target))
        if code == "EntityTooSmall":
            raise InvalidPartError(1, "is smaller than the object store allows") from error
        raise


async def _object_exists(client: "S3Client", bucket: str, target: UploadTarget) -> bool:
    try:
        head = await call(client.head_object(Bucket=bucket, Key=target.key), about=target.key)
    except ObjectNotFoundError:
        return False
    return head["ContentLength"] == target.size
