"""The tree of folders and files, and its trash.

* ``access``: who may do what; the proofs that services take. ``rights``: what can be done. ``grants``: what owners
  allow others.
* ``names``: valid names, splitting paths, sort keys, numbered duplicates. Pure functions.
* ``paths``: resolving IDs and paths to nodes, creating folders, checking depth and free names.
* ``placement``: placing stored objects as new files, hundreds at once. ``placement_queries``: its SQL statements.
* ``located_nodes``: nodes with the paths of their folders, in one statement.
* ``updates``: renaming, moving and publishing a node.
* ``trash``: moving nodes to the trash and restoring them. ``trash_queries``: its SQL statements and those of ``purge``.
* ``purge``: deleting trashed nodes permanently, in batches.
"""
