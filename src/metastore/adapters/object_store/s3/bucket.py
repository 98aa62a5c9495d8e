"""Making the bucket ready for use."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from metastore.adapters.object_store.s3.calls import ask, error_code
from metastore.ports.object_store import ObjectNotFoundError, ObjectStoreError, StoreUnavailableError

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CORSConfigurationTypeDef, CORSRuleTypeDef

_EXPOSED = ["ETag", "Content-Length", "Content-Range", "Content-Disposition", "Accept-Ranges", "Last-Modified"]
_log = structlog.get_logger(__name__)


async def ensure_bucket(client: "S3Client", bucket: str, region: str, *, amazon: bool) -> None:
    """Create the bucket when there is none.

    Raises:
        StoreUnavailableError: the server cannot be reached, or does not let us in.
    """
    try:
        await ask(client.head_bucket(Bucket=bucket), about=bucket)
    except ObjectNotFoundError:
        await _create(client, bucket, region, amazon=amazon)


async def _create(client: "S3Client", bucket: str, region: str, *, amazon: bool) -> None:
    try:
        if amazon and region != "us-east-1":
            location = {"LocationConstraint": region}
            await ask(client.create_bucket(Bucket=bucket, CreateBucketConfiguration=location))  # type: ignore[arg-type]  # any region name, the stubs list those of today
        else:
            await ask(client.create_bucket(Bucket=bucket))
    except StoreUnavailableError as error:
        # Somebody else, another process of ours say, was quicker.
        if error_code(error.__cause__) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def _rule(origins: list[str], methods: list[str]) -> "CORSRuleTypeDef":
    return {
        "AllowedOrigins": origins,
        "AllowedMethods": methods,
        "AllowedHeaders": ["*"],
        "ExposeHeaders": _EXPOSED,
        "MaxAgeSeconds": 3600,
    }


async def allow_origins(client: "S3Client", bucket: str, origins: Sequence[str]) -> None:
    """Let pages of ``origins`` send parts and read their ETags, and any page read what it has a URL of.

    Servers without such rules are left as they are.
    """
    # Some servers look no further than the first rule that names an origin.
    rules: CORSConfigurationTypeDef = {
        "CORSRules": [_rule(list(origins), ["GET", "HEAD", "PUT"]), _rule(["*"], ["GET", "HEAD"])]
    }
    try:
        await ask(client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules))
    except ObjectStoreError as error:
        _log.warning("bucket has no CORS rules of ours; browsers may be refused", bucket=bucket, error=str(error))
