"""How the API represents a node.

* ``serialization``: nodes as JSON, and their ETags.
* ``etags``: the ``If-Match`` precondition.
* ``node_urls``: the URLs of all nodes in a list, from ``thumbnail_urls`` (presigned) and ``stream_urls`` (tokens).
"""
