"""``Idempotency-Key``: a POST that is sent again takes effect once and returns the same response.

A feature's router opts in with ``APIRouter(route_class=IdempotentRoute)``. A key (1 to 255 visible ASCII characters)
belongs to the signed-in user, or to the client's address for anonymous requests, for 24 hours. A request with a known
key gets:

* the stored response with ``Idempotency-Replayed: true``, if there is one;
* 422 ``idempotency-key-reused`` when method, path, query or content differ from the first request;
* 409 ``idempotency-in-progress`` with ``Retry-After`` while the first request is running;
* otherwise (the first request was killed, or failed with a 5xx) it runs and continues from the last checkpoint.

**One effect.** The route first commits a claim on the key with a lease (``claims``). While the endpoint
runs, every transaction that it commits also moves the claim from ``claimed`` to ``effective``
(``checkpoints.IdempotencyKeys``). An expired claim can be taken over only while it is still ``claimed``. The
previous holder can no longer commit, because its transactions do not find the claim any more. The response is stored
after it is rendered. A kill between effect and response must not lose the response, so every endpoint is expected to
do one of these:

* store the response in the single transaction of its effect (``store_response``);
* save a checkpoint in its first transaction, from which a second run continues (``checkpoints``);
* be idempotent by itself and marked as ``repeatable``, so that it simply runs again;
* be marked as ``resumable`` if its response contains a secret, and save a checkpoint: the response is never stored.

An endpoint that does none of these is safe but inconvenient: after such a kill the key returns 409
``idempotency-answer-lost``, and the client has to check the result itself.

Conclusive responses are stored: 2xx and 4xx, except those that depend on the moment or on credentials (401, 408, 412,
425, 429). A 5xx is not stored, and the claim is released unless the endpoint has committed something. An endpoint that
undoes its effect before it fails declares that with ``mark_compensation``. Cookies are never stored.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.idempotency.checkpoints import IdempotencyKeys, working_under
from metastore.kit.idempotency.claims import (
    Claim,
    Claimed,
    StoredResponse,
    release_claim,
    save_response,
    try_claim,
)
from metastore.kit.idempotency.fingerprint import fingerprint
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.services import Services

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_INCONCLUSIVE = frozenset({401, 408, 412, 425, 429})
_NOT_STORED = frozenset({"content-length", "set-cookie"})
_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The request takes effect once, however often it is sent with this key within 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_JSON = {"content-type": "application/json"}
_WRAPPED = "__metastore_once__"
_REPEATABLE = "__metastore_repeatable__"
_RESUMABLE = "__metastore_resumable__"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Any]])
Model = TypeVar("Model", bound=BaseModel | None)


def repeatable(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that may run again after it took effect because it is idempotent by itself.

    Apply it below the router's decorator.
    """
    setattr(endpoint, _REPEATABLE, True)
    return endpoint


def resumable(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint whose successful responses contain secrets, and are therefore never stored.

    It must save a checkpoint in its first transaction. A repeated request runs again, and resumes from there. Apply it
    below the router's decorator.
    """
    setattr(endpoint, _RESUMABLE, True)
    return endpoint


async def store_response(
    tx: Transaction, model: Model, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Model:
    """Store the endpoint's response in the transaction of its effect, so that a crash cannot separate the two.

    ``headers`` are those that the endpoint sets. ``None`` stands for a response without a body. Returns ``model``. Does
    nothing when the request has no key. Call it only in the last transaction of an endpoint.
    """
    run = _running.get()
    if run is None or run.claimed is None:
        return model
    stored, body = _storable(dict(headers or {})), b""
    if model is not None:
        stored, body = {**_JSON, **stored}, model.model_dump_json(by_alias=True).encode()
    await run.store(tx, run.claimed, StoredResponse(status, stored, body))
    return model


async def store_json(tx: Transaction, body: bytes, *, status: int = 200) -> None:
    """Store the endpoint's response as ``store_response`` does, given its JSON."""
    run = _running.get()
    if run is not None and run.claimed is not None:
        await run.store(tx, run.claimed, StoredResponse(status, dict(_JSON), body))


class IdempotentRoute(APIRoute):
    """A route whose POST endpoint honours ``Idempotency-Key``. The endpoint must be a coroutine function."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  FastAPI's own
        if "POST" in (options.get("methods") or ()):
            endpoint = _once(endpoint)
            options["openapi_extra"] = {"parameters": [_PARAMETER], **(options.get("openapi_extra") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, wrapped to read the key before it and store the response after it."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST":
                return await handle(request)
            if not _KEY.fullmatch(key):
                raise Problem(
                    400, ProblemCode.INVALID_IDEMPOTENCY_KEY, f"{HEADER} must be 1 to 255 visible ASCII characters."
                )
            run = _Run(request, key)
            token = _running.set(run)
            try:
                response = await handle(request)
            except Problem as problem:
                await run.ended(_response_of_problem(problem, request))
                raise
            except Exception:
                await run.ended(None)
                raise
            finally:
                _running.reset(token)
            if run.has_resumed:
                response.headers[REPLAYED] = "true"
            await run.ended(_response_to_store(response))
            return response

        return handle_once


class _Run:
    """One run of an endpoint under a key."""

    def __init__(self, request: Request, key: str) -> None:
        services: Services = request.app.state.services
        self._database = services.get(IdempotencyKeys).database
        self._request = request
        self._key = key
        self._repeatable = False
        self._stored: StoredResponse | None = None
        self._resumable = False
        self.has_resumed = False
        """Whether the response repeats one that was not stored."""
        self.claimed: Claimed | None = None

    async def claim(self, arguments: dict[str, object], endpoint: Callable[..., Any]) -> StoredResponse | None:
        """Claim the key. Return the stored response instead if there is one."""
        self._repeatable = repeatable = getattr(endpoint, _REPEATABLE, False)
        self._resumable = getattr(endpoint, _RESUMABLE, False)
        claim = Claim(
            owner=_owner(),
            key=self._key,
            operation=f"{self._request.method} {self._request.url.path}"[:1000],
            fingerprint=await fingerprint(self._request, arguments),
        )
        async with self._database.transaction() as tx:
            outcome = await try_claim(tx, claim, repeatable=repeatable)
        if isinstance(outcome, StoredResponse):
            return outcome
        self.claimed = outcome
        self.has_resumed = self._resumable and outcome.checkpoint is not None
        return None

    async def store(self, tx: Transaction, claimed: Claimed, response: StoredResponse) -> None:
        """Store the response in the transaction of the effect."""
        await save_response(tx, claimed, response)
        self._stored = response

    async def ended(self, response: StoredResponse | None) -> None:
        """Store the response, or release the claim when there is none to store."""
        claimed, self.claimed = self.claimed, None
        if claimed is None or self._has_stored(response):
            return
        if response is not None and self._resumable and response.status < 400:
            response = None
        # The client gets its response even if it cannot be stored now; the claim then ends with its lease.
        with suppress(Problem):
            async with self._database.transaction() as tx:
                if response is not None:
                    await save_response(tx, claimed, response)
                else:
                    await release_claim(tx, claimed, even_effective=self._repeatable)

    def _has_stored(self, response: StoredResponse | None) -> bool:
        """Return whether the client gets what was stored. It would get an error, had the transaction failed."""
        stored = self._stored
        if stored is None or response is None:
            return False
        return (stored.status, stored.body) == (response.status, response.body)


_running: ContextVar[_Run | None] = ContextVar("metastore_idempotent_run", default=None)


def _once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``endpoint`` to claim the request's key before it runs. Its dependencies have been resolved by then."""
    if hasattr(endpoint, _WRAPPED):
        return endpoint
    if not iscoroutinefunction(endpoint):
        raise TypeError(f"{endpoint.__name__} must be a coroutine function")

    @wraps(endpoint)
    async def once(**arguments: object) -> object:
        run = _running.get()
        if run is None:
            return await endpoint(**arguments)
        stored = await run.claim(arguments, endpoint)
        if stored is not None:
            return Response(stored.body, stored.status, {**stored.headers, REPLAYED: "true"})
        with working_under(run.claimed):
            return await endpoint(**arguments)

    setattr(once, _WRAPPED, True)
    return once


def _owner() -> str:
    context = current_context()
    if context is not None and context.actor_id:
        return context.actor_id
    return f"anonymous:{context.address if context else None}"[:64]


def _response_of_problem(problem: Problem, request: Request) -> StoredResponse | None:
    if not _is_conclusive(problem.status):
        return None
    headers = _storable({**problem.headers, "Content-Type": "application/problem+json"})
    return StoredResponse(problem.status, headers, orjson.dumps(problem.body(request.url.path)))


def _response_to_store(response: Response) -> StoredResponse | None:
    body = getattr(response, "body", None)
    if not isinstance(body, bytes) or not _is_conclusive(response.status_code):
        return None
    return StoredResponse(response.status_code, _storable(dict(response.headers)), body)


def _storable(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in _NOT_STORED}


def _is_conclusive(status: int) -> bool:
    return 200 <= status < 500 and status not in _INCONCLUSIVE
