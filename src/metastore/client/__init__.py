"""The transfer client. It imports nothing of the server.

* ``checksums``: checksums in a self-describing notation, of streams and files.
"""
