"""The HTTP server: uvicorn on uvloop, extended for fast transfers of large bodies.

uvicorn passes bodies through the event loop in small copies, which costs two thirds of the possible throughput. The
extended protocol class adds four features; everything else is uvicorn's:

* **Direct request bodies.** The application may take the rest of a request's body as a ``DirectBody``, from
  ``scope["extensions"]["metastore.body"]``. The transport stops reading, and a thread of the application's choice
  receives from a duplicate of the socket, straight into the buffer that it writes to disk. Threads never wait for slow
  clients: when no data arrives for some milliseconds, the event loop waits instead. HTTP continues afterwards.
* **Direct file responses**: the ASGI extension ``http.response.zerocopysend``, implemented with ``sendfile(2)`` in a
  thread. Slow clients are handled in the same way.
* **Ready responses.** The application may have a method ``ready_response``, which is called for every GET without a
  body. When it returns a complete response from memory, that is written without creating a task.

* **Passing connections.** Several processes can share a port: one accepts, and a connection moves to the process that
  its next request belongs to.

The class also adds limits that uvicorn lacks: on the size of a request's head and on the time that it may take. When
the response is sent before the end of the request's body, it keeps reading for a while: a client that is still sending
when its connection is closed may never see the response (RFC 9112, section 9.6).

``METASTORE_HTTP_SERVER=uvicorn`` selects uvicorn's own protocol class, which has none of this.

* ``server``: ``HttpServer``, which listens and shuts down.
* ``connection``: the extended protocol class. ``request_cycle``: one request and its response.
* ``passing``: pass connections to another process. ``heads``: find the ends of heads in received bytes.
* ``direct_transfer``: transfers between sockets and files. ``ready_response``: responses from memory.
"""

from metastore.entrypoints.server.direct_transfer import DirectBody
from metastore.entrypoints.server.request_cycle import BODY, ZERO_COPY
from metastore.entrypoints.server.server import HttpServer

__all__ = ["BODY", "ZERO_COPY", "DirectBody", "HttpServer"]
