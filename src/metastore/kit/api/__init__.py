"""Parts of the API that features share.

* ``schema``: base classes of requests and responses, and timestamps.
* ``paging``: cursor pagination.
* ``period``: periods of time as request parameters.
* ``signed_tokens``: bytes in URLs and cookies that clients cannot change.
* ``router``: routers that are skipped for paths which are not theirs.
* ``dependencies``: the services and the database as dependencies of endpoints.
* ``conditional_requests``: preconditions and ranges. ``response_headers``: names and types of downloads.
"""
