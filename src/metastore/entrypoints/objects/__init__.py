"""The embedded store's data plane: ``PUT``, ``GET`` and ``HEAD`` on presigned ``/objects/…`` URLs.

A bare ASGI application, since every layer between the socket and the disk costs speed here. It stands in front of the
rest of the product on the same origin, or alone on an origin of its own. Pages of any origin may read what they have a
URL of, a player on somebody's site say, since no cookie plays a part in it; only ours may write.

**PUT** stores a part and answers 200 with its ``ETag`` once it is on disk. **GET** and **HEAD** serve an object with
conditional requests (RFC 9110 §13) and single ranges (§14). Of several ranges in one header a few are ignored, so that
the whole object is sent, and many are refused with 416: both is what §14.2 allows, and neither costs more than a plain
GET.

An error is ``application/problem+json``; its ``code`` is one of ``invalid-signature``, ``url-expired`` (403),
``upload-not-found``, ``object-not-found`` (404), ``method-not-allowed`` (405), ``request-timeout`` (408),
``length-required`` (411), ``length-mismatch`` (400), ``precondition-failed`` (412), ``invalid-range`` (416),
``unavailable`` (503) and ``storage-full`` (507). After any of them nothing is kept of what was sent.

User content is never active on our origin: it is sent with ``nosniff``, in a CSP sandbox, with the type and
disposition that the URL was signed for.
"""

from metastore.entrypoints.objects.app import ObjectsApp

__all__ = ["ObjectsApp"]
