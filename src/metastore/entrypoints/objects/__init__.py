"""The data plane of the embedded object store: ``PUT``, ``GET`` and ``HEAD`` on presigned ``/objects/…`` URLs.

A plain ASGI application, since every layer between the socket and the disk reduces throughput. It runs in front of the
rest of the product on the same origin, or alone on an origin of its own. Pages of any origin may read an object whose
URL they have (a video player on another site, for example), since no cookie is involved. Only our own may write.

**PUT** stores a part and responds with 200 and its ``ETag`` once it is on disk. **GET** and **HEAD** serve an object
with conditional requests (RFC 9110 §13) and single ranges (§14). A header with a few ranges is ignored, so that the
whole object is sent; one with many is refused with 416. Section 14.2 allows both, and neither costs more than a plain
GET.

Errors are ``application/problem+json``. ``code`` is one of ``invalid-signature``, ``url-expired`` (403),
``upload-not-found``, ``object-not-found`` (404), ``method-not-allowed`` (405), ``request-timeout`` (408),
``length-required`` (411), ``length-mismatch`` (400), ``precondition-failed`` (412), ``invalid-range`` (416),
``unavailable`` (503) and ``storage-full`` (507). None of the bytes sent are kept after an error.

User content is never active on our origin: it is sent with ``nosniff``, in a CSP sandbox, with the content type and
disposition in the signed URL.

* ``app``: the ASGI application. ``http_exchange``: a request and its response.
* ``object_server``: GET and HEAD, with the preconditions and ranges of ``kit.api.conditional_requests``.
* ``part_receiver``: PUT.
* ``allocator``: settings of the memory allocator.
"""

from metastore.entrypoints.objects.app import ObjectsApp

__all__ = ["ObjectsApp"]
