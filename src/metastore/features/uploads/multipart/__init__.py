"""The building blocks of uploads, used by the services above this package.

* ``limits``: size and lifetime limits.
* ``initiation``: opening an upload in the store, and creating its rows.
* ``parts``: part sizes, part URLs and validation of the parts that a client names.
* ``sniffing``: the content type of an uploaded object.
* ``ingest_saga``: starting and advancing a file's ingest saga.
* ``listing``: a user's unfinished uploads, with the bytes that the store holds of each.
* ``cancellation``: ending an upload without a file.
* ``cleanup``: queries for the recurring jobs, the checks and the move to another store.
* ``problems``: problem responses.
"""
