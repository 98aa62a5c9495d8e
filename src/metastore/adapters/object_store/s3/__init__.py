"""Objects in a bucket of any S3-compatible server (MinIO, SeaweedFS, Ceph RGW, Garage, AWS …).

Bytes go straight between the clients and the server by presigned URLs; only facts and small objects pass through here.

**Which objects appear when.** A multipart upload is the server's own; nothing is under its key until complete. A small
object is put in one request up to 8 MiB, and as a multipart upload above that, aborted on failure. Each multipart
object carries the metadata ``part-size``, from which its checksum is described.

**Lengths.** Part URLs sign ``Content-Length``, so that a client can send neither more nor less. Since servers check
only ETags at complete, the sizes that the server reports are compared first.

**Parts sent again.** Some servers (SeaweedFS) keep every sending of a part until complete, and list them all. It is the
ETag named at complete that decides, and it always stands for its own bytes.

**Lost answers.** Every call ends within 28 seconds, retries included. When complete was carried out but its answer was
lost, the retry finds no upload; an object of the right size under the key, which is never written twice, then tells
that it had succeeded. An error in the body of a 200 is an error.

**Checksums** come from ETags where those are MD5 digests (not under SSE-KMS or SSE-C, for instance).

**Permissions needed** on the bucket: ``s3:GetObject``, ``PutObject``, ``DeleteObject``, ``AbortMultipartUpload``,
``ListMultipartUploadParts``, ``ListBucket``, ``ListBucketMultipartUploads``; ``PutBucketCORS`` unless the rules for
browsers are kept by the operator; ``CreateBucket`` unless it is there.

**Known limits.** A presigned GET URL does not serve HEAD, since S3 signs the method: ask for one with ``head=True``.
"""

from metastore.adapters.object_store.s3.store import S3ObjectStore

__all__ = ["S3ObjectStore"]
