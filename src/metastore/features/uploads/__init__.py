"""Files coming in: in parts straight to the object store, or whole through the API.

A multipart upload is a small state machine whose truth is the ``uploads`` row::

    OPEN ──complete──▶ COMPLETING ──▶ COMPLETED
     │ ▲                  │
     │ └──bad part────────┘
     └──abort / expiry──▶ (row gone, bytes and reservation released)

Every arrow is one conditional ``UPDATE`` or ``DELETE``, so that of two requests that race exactly one wins. The store
is called between transactions, never inside one; a crash at any point leaves a row from which a repeated request or
the saga of the file's arrival goes on (``arriving``, bound in ``media.ingest``): it is due when the upload's time
is over, or a minute after a completing was begun.
"""
