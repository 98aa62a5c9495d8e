"""The ASGI application: dispatch by method, and map errors to problem documents."""

from collections.abc import Iterable, Mapping

import structlog
from starlette.types import Receive, Scope, Send

from metastore.entrypoints.objects.http_exchange import ClientGoneError, HttpExchange
from metastore.entrypoints.objects.object_server import ObjectServer
from metastore.entrypoints.objects.part_receiver import PartReceiver
from metastore.entrypoints.server.ready_response import ReadyResponse
from metastore.kit.problems.problem import Problem, storage_full, unavailable
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import (
    ObjectNotFoundError,
    ObjectStoreError,
    StoreFullError,
    UploadNotFoundError,
)
from metastore.ports.served_objects import InvalidSignatureError, ServedObjectStore, UrlExpiredError

_METHODS = b"GET, HEAD, PUT, OPTIONS"
_PREFLIGHT = [
    (b"allow", _METHODS),
    # These allow nothing without ``Access-Control-Allow-Origin``, which depends on the origin.
    (b"access-control-allow-methods", b"GET, HEAD, PUT"),
    (b"access-control-allow-headers", b"Content-Type, Range, If-Range, If-None-Match, X-Request-ID"),
    (b"access-control-max-age", b"86400"),
]
_log = structlog.get_logger(__name__)


class ObjectsApp:
    """The data plane as an ASGI application.

    Args:
        store: The store that is served.
        allowed_origins: Other origins whose pages may write. Pages of any origin may read.
        idle_timeout: Seconds after which a client that sends less than 1 KiB/s or reads nothing is disconnected.
    """

    def __init__(
        self, store: ServedObjectStore, *, allowed_origins: Iterable[str] = (), idle_timeout: float = 30.0
    ) -> None:
        self._writers = frozenset(origin.rstrip("/") for origin in allowed_origins if origin)
        self._receiver = PartReceiver(store, idle_timeout)
        self._server = ObjectServer(store, idle_timeout=idle_timeout)

    def ready_response(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> ReadyResponse | None:
        """Return the response to a GET of a small range of a cached object, or ``None``; see ``server``."""
        if not path.startswith("/objects/"):
            return None
        try:
            return self._server.serve_now(path, query, headers)
        except (Problem, ObjectStoreError):
            return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return
        exchange = HttpExchange(scope, receive, send, self._writers)
        try:
            await self._dispatch(exchange)
        except ClientGoneError:
            return
        except (Problem, ObjectStoreError) as error:
            if exchange.started:
                raise
            await exchange.refuse(_problem_of(error))

    async def _dispatch(self, exchange: HttpExchange) -> None:
        if exchange.method in ("GET", "HEAD"):
            await self._server.serve(exchange)
        elif exchange.method == "PUT":
            await self._receiver.receive(exchange)
        elif exchange.method == "OPTIONS":
            await exchange.respond(204, _PREFLIGHT)
        else:
            headers = {"Allow": _METHODS.decode()}
            raise Problem(405, ProblemCode.METHOD_NOT_ALLOWED, "Only GET, HEAD and PUT are supported.", headers=headers)


def _problem_of(error: Problem | ObjectStoreError) -> Problem:
    match error:
        case Problem():
            return error
        case InvalidSignatureError():
            return Problem(403, ProblemCode.INVALID_SIGNATURE, "This URL is invalid, or was signed for another method.")
        case UrlExpiredError():
            return Problem(403, ProblemCode.URL_EXPIRED, "This URL has expired; request a new one.")
        case UploadNotFoundError():
            return Problem(404, ProblemCode.UPLOAD_NOT_FOUND, "There is no such upload, or it has ended.")
        case ObjectNotFoundError():
            return Problem(404, ProblemCode.OBJECT_NOT_FOUND, "There is no such object.")
        case StoreFullError():
            return storage_full()
    _log.error("object store failed", error=str(error))
    return unavailable("The object store does not respond.")
