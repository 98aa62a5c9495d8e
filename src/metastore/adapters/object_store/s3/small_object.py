"""Store an object from a stream, with constant memory use.

Up to ``BLOCK_SIZE`` bytes take a single request; larger objects are sent as multipart uploads.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from metastore.adapters.object_store.s3.calls import call
from metastore.adapters.object_store.s3.checksums import PART_SIZE

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

BLOCK_SIZE = 8 * 2**20
_MAX_PARTS = 10_000


async def read_all(chunks: AsyncIterator[bytes], size: int) -> bytes:
    """Return the whole stream.

    Raises:
        ValueError: the number of bytes is not ``size``.
    """
    return b"".join([block async for block in _blocks(chunks, size, _block_size(size))])


async def put_stream(
    client: "S3Client", bucket: str, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str
) -> None:
    """Store a stream of exactly ``size`` bytes as a multipart upload.

    Raises:
        ValueError: the number of bytes is not ``size``; nothing is stored.
    """
    block_size = _block_size(size)
    blocks = _blocks(chunks, size, block_size)
    created = await call(
        client.create_multipart_upload(
            Bucket=bucket, Key=key, ContentType=content_type, Metadata={PART_SIZE: str(block_size)}
        ),
        about=key,
    )
    upload_id = created["UploadId"]
    try:
        parts: list[CompletedPartTypeDef] = []
        async for block in blocks:
            number = len(parts) + 1
            sent = await call(
                client.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=block), about=key
            )
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        await call(
            client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            ),
            about=key,
        )
    except BaseException:
        await call(client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id), about=key)
        raise


def _block_size(size: int) -> int:
    """Return 8 MiB, or the fewest whole MiB that keep ``size`` bytes within the number of parts that S3 allows."""
    least = -(-size // _MAX_PARTS)
    return max(BLOCK_SIZE, -(-least // 2**20) * 2**20)


async def _blocks(chunks: AsyncIterator[bytes], size: int, block_size: int) -> AsyncIterator[bytes]:
    """Yield blocks of ``block_size`` bytes and a last, shorter one, which is yielded only if the total is ``size``."""
    buffer = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > size:
            raise ValueError(f"more than {size} bytes")
        buffer += chunk
        while len(buffer) > block_size:
            yield bytes(buffer[:block_size])
            del buffer[:block_size]
    if received != size:
        raise ValueError(f"{received} of {size} bytes")
    yield bytes(buffer)
