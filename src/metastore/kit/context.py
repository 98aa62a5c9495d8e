"""Who is asking: the circumstances of the request or message that is being worked on.

An entry point opens a context; whatever is recorded while it is open (audit facts above all) carries it. It travels in
a context variable so that services need not hand it through.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestContext:
    """Circumstances of one request; ``actor_id`` is filled in once the caller is known.

    ``origin`` is the scheme and host by which the client reached us, for URLs that are handed out.
    """

    request_id: str
    address: str | None = None
    user_agent: str | None = None
    actor_id: str | None = None
    origin: str = ""

    def headers(self) -> dict[str, str]:
        """The context as event headers, leaving out what is unknown."""
        known = {
            "requestId": self.request_id,
            "address": self.address,
            "userAgent": self.user_agent,
            "actorId": self.actor_id,
        }
        return {name: value for name, value in known.items() if value}


_current: ContextVar[RequestContext | None] = ContextVar("metastore_request_context", default=None)


def current_context() -> RequestContext | None:
    """The open context, or ``None`` outside any request."""
    return _current.get()


def absolute(url: str) -> str:
    """``url`` as a client can use it anywhere: a path of ours gets the origin by which the client reached us."""
    context = current_context()
    return f"{context.origin}{url}" if context and url.startswith("/") else url


@contextmanager
def open_context(context: RequestContext) -> Iterator[RequestContext]:
    """Make ``context`` the current one for the block and everything awaited in it."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
