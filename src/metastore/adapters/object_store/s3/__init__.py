"""Object store in a bucket of any S3-compatible server (MinIO, SeaweedFS, Ceph RGW, Garage, AWS …).

Clients transfer bytes directly to and from the server with presigned URLs. Only metadata and small objects pass through
this adapter.

**Atomicity.** A multipart upload is the server's own; its key has no object until complete. ``put`` takes one request
up to 8 MiB, and a multipart upload above that, which is aborted on failure. Each multipart object has the user metadata
``part-size``, which its checksum refers to.

**Lengths.** Part URLs sign ``Content-Length``, so a client can send neither more nor fewer bytes. Servers only check
ETags at complete, so the sizes that the server lists are compared first.

**Parts sent again.** Some servers (SeaweedFS) keep every version of a part until complete, and list all of them. The
ETag named at complete decides, and it always identifies its own bytes.

**Lost responses.** Every call ends within 28 seconds, including retries. If complete succeeded but its response was
lost, the retry finds no upload. An object of the right size then proves that it had succeeded, because a key is never
written twice. An error in the body of a 200 response is an error.

**Checksums** are taken from ETags where those are MD5 digests; they are not with SSE-KMS or SSE-C, for example.

**Permissions** required on the bucket: ``s3:GetObject``, ``PutObject``, ``DeleteObject``, ``AbortMultipartUpload``,
``ListMultipartUploadParts``, ``ListBucket``, ``ListBucketMultipartUploads``; ``PutBucketCORS`` unless the operator
maintains the CORS rules; ``CreateBucket`` unless the bucket exists.

**Known limits.** A presigned GET URL does not serve HEAD, since S3 signs the method: request one with ``head=True``.

* ``store``: ``S3ObjectStore``. ``bucket``: create and configure the bucket.
* ``multipart_uploads``: check and complete uploads. ``small_object``: store an object from a stream.
* ``presigned_part_urls``, ``presigned_get_urls``: presign thousands of URLs.
* ``checksums``: derive checksums from ETags. ``calls``: requests with time limits and the port's errors.
"""

from metastore.adapters.object_store.s3.store import S3ObjectStore

__all__ = ["S3ObjectStore"]
