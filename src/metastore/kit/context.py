"""The context of the current request or message: who caused it, and from where.

Entry points open a context. Events recorded while it is open carry it in their headers. It is kept in a context
variable, so services need not pass it on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestContext:
    """The context of one request. ``actor_id`` is set once the caller is authenticated.

    ``origin`` is the scheme and host that the client used, for absolute URLs in responses.
    """

    request_id: str
    address: str | None = None
    user_agent: str | None = None
    actor_id: str | None = None
    origin: str = ""

    def headers(self) -> dict[str, str]:
        """Return the context as event headers, without unknown values."""
        known = {
            "requestId": self.request_id,
            "address": self.address,
            "userAgent": self.user_agent,
            "actorId": self.actor_id,
        }
        return {name: value for name, value in known.items() if value}


_current: ContextVar[RequestContext | None] = ContextVar("metastore_request_context", default=None)


def current_context() -> RequestContext | None:
    """Return the open context, or ``None`` outside any request."""
    return _current.get()


def absolute(url: str) -> str:
    """Return ``url`` with the request's origin if it is a path."""
    context = current_context()
    return f"{context.origin}{url}" if context and url.startswith("/") else url


def all_absolute(urls: Sequence[str]) -> list[str]:
    """Return ``urls``, each as ``absolute`` does; suited for thousands."""
    context = current_context()
    if context is None:
        return list(urls)
    return [f"{context.origin}{url}" if url.startswith("/") else url for url in urls]


@contextmanager
def open_context(context: RequestContext) -> Iterator[RequestContext]:
    """Make ``context`` the current context within the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
