"""``S3ObjectStore``, the ``ObjectStore`` implementation on S3."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from metastore.adapters.object_store.s3.bucket import allow_origins, ensure_bucket
from metastore.adapters.object_store.s3.calls import call, server_errors
from metastore.adapters.object_store.s3.checksums import PART_SIZE, bare_etag, checksum_from
from metastore.adapters.object_store.s3.multipart_uploads import complete, latest_versions, received_parts
from metastore.adapters.object_store.s3.presigned_get_urls import get_url_template
from metastore.adapters.object_store.s3.presigned_part_urls import PartUrlTemplate, part_url_template
from metastore.adapters.object_store.s3.small_object import BLOCK_SIZE, put_stream, read_all
from metastore.kit.api.response_headers import content_disposition, safe_media_type
from metastore.kit.clock import period_start
from metastore.ports.object_store import (
    CompletedPart,
    NewObject,
    ObjectNotFoundError,
    OpenMultipart,
    Part,
    StoredObject,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import (
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        ObjectIdentifierTypeDef,
    )

_READ_SIZE = 2**19
_DELETE_BATCH = 1000
_SENT_AT_ONCE = 8
Outcome = TypeVar("Outcome")


class S3ObjectStore:
    """Objects in one bucket; created by ``open``."""

    def __init__(
        self, bucket: str, session: AioSession, client: "S3Client", signer: "S3Client", resources: AsyncExitStack
    ) -> None:
        self._bucket = bucket
        self._session = session
        self._client = client
        self._signer = signer
        self._resources = resources
        self.public_origin = ""

    @classmethod
    async def open(
        cls,
        *,
        bucket: str,
        endpoint: str | None,
        region: str = "us-east-1",
        public_endpoint: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        allowed_origins: Sequence[str] = ("*",),
        read_only: bool = False,
    ) -> "S3ObjectStore":
        """Connect, create the bucket unless it exists, and allow pages of ``allowed_origins`` to upload to it.

        ``endpoint`` is ``None`` for AWS. ``public_endpoint`` is the server's address for clients, if it differs from
        ``endpoint``. Without keys, the usual sources of the AWS SDK are used. With ``read_only``, the bucket must exist
        and is not changed.

        Raises:
            StoreUnavailableError: the server is unreachable or denied access.
        """
        session = get_session()
        if access_key_id and secret_access_key:
            session.set_credentials(access_key_id, secret_access_key)
        resources = AsyncExitStack()
        try:
            with server_errors():
                client = await resources.enter_async_context(_client(session, region, endpoint))
                signer = client
                if public_endpoint and public_endpoint != endpoint:
                    signer = await resources.enter_async_context(_client(session, region, public_endpoint))
            store = cls(bucket, session, client, signer, resources)
            if read_only:
                await store.check()
            else:
                await ensure_bucket(client, bucket, region, amazon=endpoint is None)
                await allow_origins(client, bucket, allowed_origins)
            store.public_origin = await store._find_origin()
        except BaseException:
            await resources.aclose()
            raise
        return store

    async def create_multipart(self, key: str, *, size: int, part_size: int, content_type: str) -> str:
        """Implement the port. S3 reserves no space for ``size``."""
        created = await call(
            self._client.create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                ContentType=safe_media_type(content_type),
                Metadata={PART_SIZE: str(part_size)},
            ),
            about=key,
        )
        return created["UploadId"]

    async def presign_parts(self, target: UploadTarget, numbers: Sequence[int], *, expires_in: int) -> list[str]:
        """Implement the port."""
        if not numbers:
            return []
        first = await self._presign_part(target, numbers[0], expires_in)
        template = await self._template(first, numbers[0], target.part_length(numbers[0]))
        if template is None:
            return [first] + [await self._presign_part(target, number, expires_in) for number in numbers[1:]]
        return [first, *await asyncio.to_thread(_urls, template, target, numbers[1:])]

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Implement the port."""
        return latest_versions(await call(received_parts(self._client, self._bucket, target), about=target.upload_id))

    async def complete_multipart(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Implement the port."""
        return await call(self._complete(target, parts), about=target.upload_id)

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Implement the port."""
        try:
            await call(
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id), about=upload_id
            )
        except (UploadNotFoundError, ObjectNotFoundError):
            return

    async def is_open(self, key: str, upload_id: str) -> bool:
        """Implement the port."""
        try:
            await call(self._client.list_parts(Bucket=self._bucket, Key=key, UploadId=upload_id, MaxParts=1))
        except (UploadNotFoundError, ObjectNotFoundError):
            return False
        return True

    async def list_multiparts(self) -> AsyncIterator[OpenMultipart]:
        """Implement the port."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket).__aiter__()
        while page := await call(anext(pages, None)):
            for upload in page.get("Uploads", []):
                yield OpenMultipart(upload["Key"], upload["UploadId"], upload["Initiated"].astimezone(UTC))

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """Implement the port."""
        media_type = safe_media_type(content_type)
        if size <= BLOCK_SIZE:
            body = await read_all(chunks, size)
            return await call(self._put_whole(key, body, media_type), about=key)
        await put_stream(self._client, self._bucket, key, chunks, size=size, content_type=media_type)
        return await self.head(key)

    async def put_all(self, objects: Sequence[NewObject]) -> list[StoredObject]:
        """Implement the port. S3 has no request for several objects; a few are sent at a time."""
        slots = asyncio.Semaphore(_SENT_AT_ONCE)

        async def put(new: NewObject) -> StoredObject:
            async with slots:
                media_type = safe_media_type(new.content_type)
                return await call(self._put_whole(new.key, new.content, media_type), about=new.key)

        return _unless_failed(await asyncio.gather(*map(put, objects), return_exceptions=True))

    async def head(self, key: str) -> StoredObject:
        """Implement the port."""
        head = await call(self._client.head_object(Bucket=self._bucket, Key=key), about=key)
        etag = bare_etag(head["ETag"])
        checksum = checksum_from(etag, head)
        return StoredObject(key, head["ContentLength"], etag, checksum, head["LastModified"].astimezone(UTC))

    async def examine(self, key: str) -> StoredObject:
        """Implement the port. The server is responsible for the integrity of its objects."""
        return await self.head(key)

    async def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Implement the port."""
        response, end = await call(self._open_range(key, offset, length), about=key)
        if response is None:
            return
        async with response["Body"] as body:
            while chunk := await call(body.read(_READ_SIZE), about=key):
                offset += len(chunk)
                yield chunk
        if offset != end:
            raise StoreUnavailableError("the object store closed the connection early")

    async def presign_get(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        inline: bool = False,
        head: bool = False,
        expires_in: int,
    ) -> str:
        """Implement the port."""
        request: GetObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": content_disposition(filename, inline=inline),
            "ResponseContentType": safe_media_type(content_type),
            "ResponseCacheControl": "private",
        }
        return await self._presign("head_object" if head else "get_object", request, expires_in)

    async def presign_reads(self, keys: Sequence[str], *, content_type: str, expires_in: int) -> list[str]:
        """Implement the port.

        If the library's signature cannot be reproduced, the URLs are presigned by the library and not stable.
        """
        if not keys:
            return []
        request: GetObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": keys[0],
            "ResponseContentType": safe_media_type(content_type),
            "ResponseCacheControl": f"private, max-age={expires_in}, immutable",
        }
        first = await self._presign("get_object", request, expires_in)
        secret = await self._secret_key()
        template = get_url_template(first, keys[0], secret) if secret else None
        if template is None:
            others = [await self._presign("get_object", {**request, "Key": key}, expires_in) for key in keys[1:]]
            return [first, *others]
        signed_at = datetime.fromtimestamp(period_start(time.time(), expires_in), UTC)
        return template.urls(keys, signed_at)

    async def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Implement the port. S3 has no request for several objects; a few are read at a time."""
        slots = asyncio.Semaphore(_SENT_AT_ONCE)

        async def content_of(key: str) -> bytes:
            async with slots:
                return b"".join([chunk async for chunk in self.read(key)])

        return _unless_failed(await asyncio.gather(*map(content_of, keys), return_exceptions=True))

    async def delete(self, keys: Iterable[str]) -> None:
        """Implement the port."""
        remaining = iter(keys)
        while batch := list(islice(remaining, _DELETE_BATCH)):
            names: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in batch]
            response = await call(
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": names, "Quiet": True})
            )
            failures = [error for error in response.get("Errors", []) if error.get("Code") != "NoSuchKey"]
            if failures:
                raise StoreUnavailableError(f"the object store refused the request: {failures[0].get('Code')}")

    async def list_objects(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Implement the port."""
        paginator = self._client.get_paginator("list_objects_v2")
        pages = paginator.paginate(Bucket=self._bucket, Prefix=prefix).__aiter__()
        while page := await call(anext(pages, None)):
            for item in page.get("Contents", []):
                modified_at = item["LastModified"].astimezone(UTC)
                yield StoredObject(item["Key"], item["Size"], bare_etag(item["ETag"]), None, modified_at)

    async def check(self) -> None:
        """Implement the port."""
        try:
            await call(self._client.head_bucket(Bucket=self._bucket), timeout=5)
        except ObjectNotFoundError:
            raise StoreUnavailableError(f"bucket {self._bucket} does not exist") from None

    async def aclose(self) -> None:
        """Implement the port."""
        await self._resources.aclose()

    async def _put_whole(self, key: str, body: bytes, content_type: str) -> StoredObject:
        await self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        return await self.head(key)

    async def _open_range(
        self, key: str, offset: int, length: int | None
    ) -> "tuple[GetObjectOutputTypeDef | None, int]":
        """Request the bytes from ``offset`` on; return the response and the offset of its end.

        The response is ``None`` if there are no such bytes.
        """
        size = (await self.head(key)).size
        end = size if length is None else min(size, offset + length)
        if offset >= end:
            return None, end
        span = f"bytes={offset}-{end - 1}"
        return await self._client.get_object(Bucket=self._bucket, Key=key, Range=span), end

    async def _complete(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        await complete(self._client, self._bucket, target, parts)
        return await self.head(target.key)

    async def _presign_part(self, target: UploadTarget, number: int, expires_in: int) -> str:
        request = {
            "Bucket": self._bucket,
            "Key": target.key,
            "UploadId": target.upload_id,
            "PartNumber": number,
            "ContentLength": target.part_length(number),
        }
        return await self._presign("upload_part", request, expires_in)

    async def _presign(self, operation: Any, request: Any, expires_in: int) -> str:  # noqa: ANN401  the stubs type each operation's name and request by literals
        with server_errors():
            return await self._signer.generate_presigned_url(operation, Params=request, ExpiresIn=expires_in)

    async def _template(self, url: str, number: int, length: int) -> PartUrlTemplate | None:
        secret = await self._secret_key()
        return part_url_template(url, number, length, secret) if secret else None

    async def _secret_key(self) -> str | None:
        with server_errors():
            credentials = await self._session.get_credentials()
            frozen = await credentials.get_frozen_credentials() if credentials else None
        return frozen.secret_key if frozen else None

    async def _find_origin(self) -> str:
        parts = urlsplit(await self._presign("head_object", {"Bucket": self._bucket, "Key": "origin"}, 1))
        return f"{parts.scheme}://{parts.netloc}"


def _client(session: AioSession, region: str, endpoint: str | None) -> Any:  # noqa: ANN401  the stubs type it by overloads on literals
    config = AioConfig(
        signature_version="s3v4",
        connect_timeout=4,
        read_timeout=25,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=64,
        # Some servers do not support the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    return session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)


def _urls(template: PartUrlTemplate, target: UploadTarget, numbers: Iterable[int]) -> list[str]:
    return [template.url(number, target.part_length(number)) for number in numbers]


def _unless_failed(outcomes: Sequence[Outcome | BaseException]) -> list[Outcome]:
    """Return the outcomes of requests that were sent together, or raise the first error."""
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
