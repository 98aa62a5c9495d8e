"""How the API represents a node.

* ``serialization``: nodes as JSON, and their ETags.
* ``etags``: the ``If-Match`` precondition.
* ``node_urls``: the URLs of all nodes in a list: of thumbnails (presigned) and of streams (``stream_urls``, tokens).
"""
