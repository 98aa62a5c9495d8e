"""Reading many nodes at once.

* ``pages``: pages of a folder and of the trash, with cursors. ``page_queries``: their SQL statements.
* ``subtree``: everything below some nodes, for other features.
* ``node_lookup``: nodes by ID, for other features. ``node_lookup_queries``: their SQL statements.
"""
