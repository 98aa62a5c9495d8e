"""The FastAPI application: the HTTP API and the web app.

``create_app`` combines the routers of all features. ``RequestMiddleware`` wraps the application: it sets the request
id and context, refuses forged cross-site requests and adds common headers.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import JsonValue
from starlette.exceptions import HTTPException

from metastore import __version__
from metastore.entrypoints.blueprint import blueprint
from metastore.entrypoints.openapi import ERRORS, describe_errors
from metastore.entrypoints.operations import operations_router
from metastore.entrypoints.route_callers import require_callers
from metastore.entrypoints.webapp import mount_web_app
from metastore.features.audit.service import AuditService
from metastore.features.uploads.endpoints import MAX_BATCH_BYTES
from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Database, problem_of
from metastore.kit.feature import Feature
from metastore.kit.problems.problem import MEDIA_TYPE, Problem, title_of
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.services import Services

MAX_JSON_BODY = 2 * 2**20
"""Bytes. Completing an upload of 10,000 parts takes about 1 MiB."""
_FORM_OVERHEAD = 64 * 1024
_FORM_PATH = "/api/v1/files/upload"
_BATCH_PATH = "/api/v1/files/upload-batch"
_CODES = {
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.BODY_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
}
_log = structlog.get_logger(__name__)


def create_app(
    services: Services,
    routers: Iterable[APIRouter],
    *,
    web_app: Path | None = None,
    objects_origin: str = "",
    max_simple_upload: int = 100 * 2**20,
) -> FastAPI:
    """Create the application.

    Args:
        services: The services that endpoints depend on.
        routers: The features' routers. The first route that matches handles a request.
        web_app: The folder of the built web app.
        objects_origin: The origin of the object store, if it is not the app's own.
        max_simple_upload: Maximum size in bytes of a file that is uploaded in a single request.

    Raises:
        UndeclaredCallersError: a route does not say who may call it.
    """
    # Documentation pages without third-party scripts, since they run on our origin with the users' cookies.
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="MetaStore",
        version=__version__,
        description="A self-hosted cloud drive. Errors are problem documents (RFC 9457) with a stable `code`.",
        exception_handlers={
            Problem: _on_problem,
            RequestValidationError: _on_invalid_input,
            HTTPException: _on_http_exception,
            Exception: _on_unexpected,
        },
        responses=ERRORS,
        max_body_size=MAX_JSON_BODY,
        telemetry={"tracing": False},
    )
    describe_errors(app)
    app.state.services = services
    app.state.objects_origin = objects_origin
    for router in routers:
        _allow_large_forms(router, max_simple_upload)
        app.include_router(router)
    app.include_router(operations_router())
    if web_app is not None:
        mount_web_app(app, web_app)
    require_callers(app)
    return app


async def openapi_document() -> dict[str, JsonValue]:
    """Return the OpenAPI document of the whole API."""
    async with blueprint() as product:
        return create_app(product.services, routers_of(product.features)).openapi()


def routers_of(features: Sequence[Feature]) -> list[APIRouter]:
    """Return the routers of ``features`` (listed from the bottom layer up), those of the topmost feature first."""
    return [router for feature in reversed(features) for router in feature.routers]


def body_limit(path: str, max_simple_upload: int) -> int:
    """Return the limit on the body of a request to ``path``, in bytes."""
    if path == _BATCH_PATH:
        return MAX_BATCH_BYTES
    return max_simple_upload + _FORM_OVERHEAD if path == _FORM_PATH else MAX_JSON_BODY


def _allow_large_forms(router: APIRouter, max_simple_upload: int) -> None:
    """Set the limits of the endpoints that take files in their body."""
    for route in router.routes:
        path = getattr(route, "path", "")
        if path in (_FORM_PATH, _BATCH_PATH):
            # FastAPI's own attribute of an APIRoute.
            route.max_body_size = body_limit(path, max_simple_upload)  # type: ignore[attr-defined]


def problem_response(request: Request, problem: Problem) -> Response:
    """Return ``problem`` as ``application/problem+json``."""
    return JSONResponse(problem.body(request.url.path), problem.status, problem.headers, media_type=MEDIA_TYPE)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.refused:
        await _record_refusal(request, error)
    return problem_response(request, error)


async def _record_refusal(request: Request, problem: Problem) -> None:
    services: Services = request.app.state.services
    try:
        async with services.get(Database).transaction() as tx:
            services.get(AuditService).record_refused_access(
                tx, method=request.method, path=_path_without_token(request), code=problem.code
            )
    except Problem:
        # The refusal holds even if it could not be recorded (an outage of the database).
        _log.warning("refusal not recorded", path=_path_without_token(request), code=problem.code)


def _path_without_token(request: Request) -> str:
    """Return the request's path for logs and the audit trail: without the token of a share link or a stream."""
    token = request.path_params.get("token")
    return request.url.path.replace(str(token), "{token}") if token else request.url.path


async def _on_invalid_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(e["type"] == "json_invalid" for e in errors):
        return problem_response(request, Problem(400, ProblemCode.MALFORMED_JSON, "The body is not valid JSON."))
    fields: list[JsonValue] = [
        {"field": ".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]), "message": e["msg"]} for e in errors
    ]
    return problem_response(
        request, Problem(422, ProblemCode.VALIDATION_FAILED, "The input is invalid.", errors=fields)
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    cause = problem_of(error.__cause__) if error.__cause__ else None
    if cause is not None:
        # For example a full disk while buffering a large body, which FastAPI reports as an invalid body.
        return problem_response(request, cause)
    other = ProblemCode.HTTP_ERROR if error.status_code >= 500 else ProblemCode.BAD_REQUEST
    code = _CODES.get(error.status_code, other)
    detail = error.detail if error.status_code != 404 else "There is no such address."
    return problem_response(
        request, Problem(error.status_code, code, str(detail) or title_of(error.status_code), headers=error.headers)
    )


async def _on_unexpected(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is not None:
        return problem_response(request, problem)
    context = current_context()
    _log.error("unexpected error", exc_info=error, path=_path_without_token(request))
    reference = context.request_id if context else ""
    return problem_response(
        request,
        Problem(500, ProblemCode.INTERNAL_ERROR, f"An unexpected error occurred. It was logged as {reference}."),
    )
