"""Folders and files: the tree, its names, and the trash.

Folders and files are *nodes* of one tree per owner, stored in the table ``nodes``. A node without a parent is in the
root, which has no row of its own. Three invariants hold at every commit:

* **Names are unique within a folder.** A unique index covers the nodes that are not in the trash. An uploaded file
  whose name is taken becomes ``name (1).ext``; every other conflict is a 409.
* **Nodes form a tree.** No node is its own ancestor, no live node is in a trashed folder, and folders nest at most
  64 deep. Every change to the tree locks its owner first (on PostgreSQL; SQLite has a single writer anyway).
* **No row refers to a missing object.** Purging deletes the row and records ``file.purged``; a consumer deletes the
  object after the commit.

The life of a file::

    UPLOADING ──complete_file──▶ PROCESSING ──▶ READY or FAILED        (READY at once if there is nothing to process)
        │                             │
     discard_uploading_file         trash ──▶ restore | purge (by its owner, or when it has expired)

A file that arrives whole starts as PROCESSING or READY (``place_files``).

Where to find what:

* ``endpoints``: HTTP in. ``service``: what other features and the endpoints call.
* ``delivery``: the only door for stored bytes, by presigned URLs.
* ``tree``: who has access to what; names, paths, renaming and moving; the trash: trashing, restoring, purging.
* ``listing``: pages of a folder and of the trash; nodes by ID for other features.
* ``representation``: nodes as JSON, their ETags and URLs.
* ``content``: what the bytes are (content types), their processing, their integrity, their deletion.
* ``repository``, ``models``, ``schemas``, ``events``: SQL on single nodes, the table, API shapes, published events.
"""
