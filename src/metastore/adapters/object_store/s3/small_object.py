"""Storing an object from a stream in parts, so that memory stays flat; up to ``BLOCK`` bytes it goes in one request."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from metastore.adapters.object_store.s3.calls import ask
from metastore.adapters.object_store.s3.checksums import PART_SIZE

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

BLOCK = 8 * 2**20
_MOST_PARTS = 10_000


async def gathered(chunks: AsyncIterator[bytes], size: int) -> bytes:
    """The stream as a whole.

    Raises:
        ValueError: there are more or fewer bytes than ``size``.
    """
    return b"".join([block async for block in _blocks(chunks, size, _block_size(size))])


async def put_stream(
    client: "S3Client", bucket: str, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str
) -> None:
    """Store exactly ``size`` bytes.

    Raises:
        ValueError: there are more or fewer; nothing is kept.
    """
    block_size = _block_size(size)
    blocks = _blocks(chunks, size, block_size)
    created = await ask(
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
            sent = await ask(
                client.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=block), about=key
            )
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        await ask(
            client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            ),
            about=key,
        )
    except BaseException:
        await ask(client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id), about=key)
        raise


def _block_size(size: int) -> int:
    """Eight MiB, or as many whole MiB as keep an object of ``size`` bytes within the parts that S3 allows."""
    least = -(-size // _MOST_PARTS)
    return max(BLOCK, -(-least // 2**20) * 2**20)


async def _blocks(chunks: AsyncIterator[bytes], size: int, block_size: int) -> AsyncIterator[bytes]:
    """The stream in blocks of ``block_size`` bytes but for the last; the last comes only when the length is right."""
    gathered = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > size:
            raise ValueError(f"there are more than {size} bytes")
        gathered += chunk
        while len(gathered) > block_size:
            yield bytes(gathered[:block_size])
            del gathered[:block_size]
    if received != size:
        raise ValueError(f"there are {received} of {size} bytes")
    yield bytes(gathered)
