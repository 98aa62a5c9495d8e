"""The processes of the product: the HTTP API, the object data plane, sockets, workers and the command line.

They contain no business rules.
"""
