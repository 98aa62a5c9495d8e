"""Uploads: multipart, with parts sent straight to the object store, or whole, one or hundreds in a request.

Files that arrive whole have no state: the package ``whole`` stores them, and describes what a crash leaves. The
``uploads`` row is the state of a multipart upload::

    OPEN ──complete──▶ COMPLETING ──▶ COMPLETED
     │ ▲                  │
     │ └──bad part────────┘
     └──abort / expiry──▶ (row removed, bytes and reservation released)

Every transition is one conditional ``UPDATE`` or ``DELETE``, so exactly one of two racing requests wins. The object
store is called between transactions, never inside one. After a crash, a repeated request or the file's ingest saga
continues from the row.

**Expiry.** Only the saga ends an upload that has run out of time: its step ``store`` is due when the upload expires, or
when a completion has not finished within its lease (``arrival``). The step finishes an upload that the store holds
whole and fails otherwise; the compensation then removes the upload. The reaper starts a saga for expired uploads that
have none. Every upload that ends without a file is ended by ``multipart.cancellation.end_upload``.

Where to find what:

* ``service``: the rules of multipart uploads. ``whole``: files that arrive whole, one or many in a request.
* ``multipart``: parts, limits, the list of unfinished uploads, cancellation and cleanup.
* ``arrival``: the steps ``initiate`` and ``store`` of a file's ingest saga.
* ``jobs``: the recurring jobs that clean up after crashes.
"""
