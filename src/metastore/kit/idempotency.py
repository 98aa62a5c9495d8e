"""``Idempotency-Key``: a POST that is sent again has its effect once and gets its first answer again.

A feature's router takes part by ``APIRouter(route_class=IdempotentRoute)``; endpoints stay as they are. A key (1 to 255
visible ASCII characters) belongs to the signed-in user, or to the client's address when nobody is signed in, for
24 hours. What a request with a known key gets:

* the first request's answer with ``Idempotency-Replayed: true``, once there is one;
* 422 ``idempotency-key-reused`` when it goes elsewhere or says something else than the first one;
* 409 ``idempotency-in-progress`` with ``Retry-After`` while the first one is being worked on;
* otherwise (the first was killed, or failed with a 5xx) it is carried out, from where the first one came to.

**How one effect holds.** A claim on the key (see ``idempotency_claims``) is committed first, with a lease. While the
endpoint runs, every transaction that it commits also moves the claim from ``claimed`` to ``effective``. A claim whose
lease ran out can be taken over only while it is still ``claimed``; whoever lost it cannot commit any more, because the
move no longer finds the claim. The answer is stored once it is rendered, and a kill between effect and answer must not
lose it. So every endpoint does one of three things:

* it stores the answer in the one transaction of its effect (``keep_answer``);
* it notes in its first transaction what it began, and a second run goes on from there (``idempotency_begun``);
* it is idempotent by itself, is marked ``repeatable``, and is simply run again.

One that does none of them is safe, but not helpful: after such a kill the key answers 409 ``idempotency-answer-lost``,
and the client must look at what is there.

Stored are answers that decide: 2xx and 4xx, except those that only say "not now" or "not you" (401, 408, 412, 425,
429). A failure (5xx) is not stored, and the claim is given up unless the endpoint had committed something. An endpoint
that takes its effect back before it fails says so in the transaction that does (``Transaction.takes_back``). Cookies
are never stored.
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
from metastore.kit.database import Database, Transaction, before_commit
from metastore.kit.idempotency_begun import working_under
from metastore.kit.idempotency_claims import Answer, Claim, Claimed, give_up, move_on, store_answer, try_claim
from metastore.kit.idempotency_fingerprint import fingerprint
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.kit.services import Services

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_UNDECIDED = frozenset({401, 408, 412, 425, 429})
_NOT_STORED = frozenset({"content-length", "set-cookie"})
_DESCRIBED = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The request has its effect once, however often it is sent under this key within 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_WRAPPED = "__metastore_once__"
_REPEATABLE = "__metastore_repeatable__"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Any]])
Kept = TypeVar("Kept", bound=BaseModel | None)


def repeatable(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that may run again after it took effect, because it is idempotent by itself.

    Stands below the router's decorator.
    """
    setattr(endpoint, _REPEATABLE, True)
    return endpoint


async def keep_answer(
    tx: Transaction, answer: Kept, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Kept:
    """Store the endpoint's ``answer`` in the transaction of its effect, so that not even a crash can part them.

    ``headers`` are those that the endpoint sets; ``None`` is an answer without a body. Returns ``answer``; does nothing
    when the request has no key. Only for the last transaction of an endpoint.
    """
    run = _running.get()
    if run is None or run.claimed is None:
        return answer
    stored, body = _storable(dict(headers or {})), b""
    if answer is not None:
        stored, body = {"content-type": "application/json", **stored}, answer.model_dump_json(by_alias=True).encode()
    await store_answer(tx, run.claimed, Answer(status, stored, body))
    return answer


class IdempotentRoute(APIRoute):
    """A route whose POST endpoint, a coroutine function, honours ``Idempotency-Key``."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  FastAPI's own
        if "POST" in (options.get("methods") or ()):
            endpoint = _once(endpoint)
            options["openapi_extra"] = options.get("openapi_extra") or {"parameters": [_DESCRIBED]}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, between taking note of the key and storing the answer."""
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
                await run.ended(_answer_of_problem(problem, request))
                raise
            except Exception:
                await run.ended(None)
                raise
            finally:
                _running.reset(token)
            await run.ended(_answer_of_response(response))
            return response

        return handle_once


class _Run:
    """One request with a key, on its way through its endpoint."""

    def __init__(self, request: Request, key: str) -> None:
        services: Services = request.app.state.services
        self._database = services.get(Database)
        self._request = request
        self._key = key
        self._repeatable = False
        self.claimed: Claimed | None = None

    async def claim(self, arguments: dict[str, object], *, repeatable: bool) -> Answer | None:
        """Claim the key, or the answer that it has already."""
        self._repeatable = repeatable
        claim = Claim(
            owner=_owner(),
            key=self._key,
            operation=f"{self._request.method} {self._request.url.path}"[:1000],
            fingerprint=await fingerprint(self._request, arguments),
        )
        async with self._database.transaction() as tx:
            outcome = await try_claim(tx, claim, repeatable=repeatable)
        if isinstance(outcome, Answer):
            return outcome
        self.claimed = outcome
        return None

    async def move_on(self, tx: Transaction) -> None:
        """Have the claim become effective with ``tx``, which fails if the claim was lost."""
        if self.claimed is not None:
            await move_on(tx, self.claimed, effective=not tx.takes_back)

    async def ended(self, answer: Answer | None) -> None:
        """Store the answer, or give the claim up when there is none worth storing."""
        claimed, self.claimed = self.claimed, None
        if claimed is None:
            return
        # The client gets its answer even if it cannot be stored now; the lease ends the claim.
        with suppress(Problem):
            async with self._database.transaction() as tx:
                if answer is not None:
                    await store_answer(tx, claimed, answer)
                else:
                    await give_up(tx, claimed, even_effective=self._repeatable)


_running: ContextVar[_Run | None] = ContextVar("metastore_idempotent_run", default=None)


def _once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """``endpoint``, claiming the request's key before it runs; its dependencies have been solved by then."""
    if hasattr(endpoint, _WRAPPED):
        return endpoint
    if not iscoroutinefunction(endpoint):
        raise TypeError(f"{endpoint.__name__} must be a coroutine function")

    @wraps(endpoint)
    async def once(**arguments: object) -> object:
        run = _running.get()
        if run is None:
            return await endpoint(**arguments)
        earlier = await run.claim(arguments, repeatable=getattr(endpoint, _REPEATABLE, False))
        if earlier is not None:
            return Response(earlier.body, earlier.status, {**earlier.headers, REPLAYED: "true"})
        with before_commit(run.move_on), working_under(run.claimed):
            return await endpoint(**arguments)

    setattr(once, _WRAPPED, True)
    return once


def _owner() -> str:
    context = current_context()
    if context is not None and context.actor_id:
        return context.actor_id
    return f"anonymous:{context.address if context else None}"[:64]


def _answer_of_problem(problem: Problem, request: Request) -> Answer | None:
    if not _decided(problem.status):
        return None
    headers = _storable({**problem.headers, "Content-Type": "application/problem+json"})
    return Answer(problem.status, headers, orjson.dumps(problem.body(request.url.path)))


def _answer_of_response(response: Response) -> Answer | None:
    body = getattr(response, "body", None)
    if not isinstance(body, bytes) or not _decided(response.status_code):
        return None
    return Answer(response.status_code, _storable(dict(response.headers)), body)


def _storable(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in _NOT_STORED}


def _decided(status: int) -> bool:
    return 200 <= status < 500 and status not in _UNDECIDED
