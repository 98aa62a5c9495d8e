"""The HTTP server: uvicorn on uvloop, with short ways for bytes in bulk.

A general server hands a body over in small copies, through the event loop, one wake-up each; that costs two thirds of
the speed that the machine has. Three additions to uvicorn's protocol class spare that; all else is uvicorn's:

* **Bodies taken directly.** The application may ask for the rest of a request's body as a ``DirectBody``
  (``scope["extensions"]["metastore.body"]``). The transport stops reading, and a thread of the application's choice
  receives from a duplicate of the socket straight into the buffer that it writes to disk. A thread never waits for a
  slow client: when nothing comes for some milliseconds the event loop waits instead. Afterwards HTTP goes on.
* **Files sent directly**: the ASGI extension ``http.response.zerocopysend``, by ``sendfile(2)`` from a thread, with the
  same rule for slow clients.
* **Answers at once**: the application may have an ``answer_now`` method. It is asked for every GET without a body, and
  when it has the whole answer in memory, that is written without a task being made.

Besides, it bounds what uvicorn leaves open: the size of a request's head and the time that it may take, and it keeps
reading for a while when it has answered before the end of a body. A client that is still sending when its connection
is closed may never see the answer (RFC 9112, section 9.6).
"""

from metastore.entrypoints.server.cycle import BODY, ZERO_COPY
from metastore.entrypoints.server.direct import DirectBody
from metastore.entrypoints.server.server import HttpServer

__all__ = ["BODY", "ZERO_COPY", "DirectBody", "HttpServer"]
