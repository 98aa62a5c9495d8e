"""Folders and files: their names, their places, their trash.

Folders and files are *nodes* of one tree per owner, in the table ``nodes``. A node without a parent lies in the root,
which itself is no row. Three rules hold at every commit:

* **One name once a folder**, by a unique index over the nodes that are not in the trash. A file that arrives with a
  taken name becomes ``name (1).ext``; every other clash is a 409.
* **A tree**: no node lies below itself, nothing that is alive lies in a folder that is not, and folders nest 64 deep
  at the most. Whatever changes the tree first locks its owner (PostgreSQL; SQLite has one writer anyway).
* **Bytes outlive rows, never the other way round.** Purging deletes the row and records ``file.purged``; a consumer
  deletes the object after the commit.

A file's life::

    UPLOADING ──finish_file──▶ READY          (processing comes between the two one day)
        │                        │
     discard_file             trash ──▶ restore | purge (by hand, or when its time is over)

``names`` (what a name may be), ``content_type`` (what a file is) and ``presentation`` (rows as API shapes) are pure.
``service`` is what other features call; ``listing``, ``trash`` and ``purging`` stand beside it.
"""
