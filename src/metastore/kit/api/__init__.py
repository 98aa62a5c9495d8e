"""Parts of the API that features share.

* ``schema``: base classes of requests and responses, and timestamps.
* ``paging``: cursor pagination.
* ``period``: periods of time as request parameters.
* ``dependencies``: how endpoints find the services that they call.
"""
