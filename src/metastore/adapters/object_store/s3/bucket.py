"""Create and configure the bucket."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from metastore.adapters.object_store.s3.calls import call, error_code
from metastore.ports.object_store import ObjectNotFoundError, ObjectStoreError, StoreUnavailableError

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CORSConfigurationTypeDef, CORSRuleTypeDef

_EXPOSED_HEADERS = ["ETag", "Content-Length", "Content-Range", "Content-Disposition", "Accept-Ranges", "Last-Modified"]
_log = structlog.get_logger(__name__)


async def ensure_bucket(client: "S3Client", bucket: str, region: str, *, amazon: bool) -> None:
    """Create the bucket unless it exists.

    Raises:
        StoreUnavailableError: the server is unreachable or denied access.
    """
    try:
        await call(client.head_bucket(Bucket=bucket), about=bucket)
    except ObjectNotFoundError:
        await _create(client, bucket, region, amazon=amazon)


async def _create(client: "S3Client", bucket: str, region: str, *, amazon: bool) -> None:
    try:
        if amazon and region != "us-east-1":
            location = {"LocationConstraint": region}
            await call(client.create_bucket(Bucket=bucket, CreateBucketConfiguration=location))  # type: ignore[arg-type]  # any region name is valid; the stubs list the current ones
        else:
            await call(client.create_bucket(Bucket=bucket))
    except StoreUnavailableError as error:
        # Another process may have created it first.
        if error_code(error.__cause__) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def _rule(origins: list[str], methods: list[str]) -> "CORSRuleTypeDef":
    return {
        "AllowedOrigins": origins,
        "AllowedMethods": methods,
        "AllowedHeaders": ["*"],
        "ExposeHeaders": _EXPOSED_HEADERS,
        "MaxAgeSeconds": 3600,
    }


async def allow_origins(client: "S3Client", bucket: str, origins: Sequence[str]) -> None:
    """Set CORS rules: pages of ``origins`` may upload parts and read ETags, any page may read presigned URLs.

    A failure is only logged: some servers have no CORS rules per bucket.
    """
    # Some servers only apply the first rule that matches the origin.
    rules: CORSConfigurationTypeDef = {
        "CORSRules": [_rule(list(origins), ["GET", "HEAD", "PUT"]), _rule(["*"], ["GET", "HEAD"])]
    }
    try:
        await call(client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules))
    except ObjectStoreError as error:
        _log.warning("CORS rules of the bucket not set, browsers may be denied access", bucket=bucket, error=str(error))
