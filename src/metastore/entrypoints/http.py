"""The FastAPI application: the HTTP API and the web app.

``create_app`` combines the routers of all features. ``RequestGate`` wraps the application: it sets the request
id and context, refuses forged cross-site requests and adds common headers.
"""

from pathlib import Path

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import JsonValue
from starlette.exceptions import HTTPException

from metastore import __version__
from metastore.entrypoints.operations import operations_router
from metastore.entrypoints.webapp import mount_web_app
from metastore.features.analytics.endpoints import router as analytics_router
from metastore.features.audit.endpoints import router as audit_router
from metastore.features.audit.service import AuditService
from metastore.features.auth.endpoints import router as auth_router
from metastore.features.dead_events.endpoints import router as dead_events_router
from metastore.features.files.endpoints import router as files_router
from metastore.features.media.endpoints import router as media_router
from metastore.features.notifications.endpoints import router as notifications_router
from metastore.features.search.endpoints import router as search_router
from metastore.features.uploads.endpoints import router as uploads_router
from metastore.kit.context import current_context
from metastore.kit.database import Database, problem_of
from metastore.kit.http import Services
from metastore.kit.problem import Problem, title_of

MAX_JSON_BODY = 2 * 2**20
"""Bytes. A request that completes an upload of 10,000 parts has about 1 MiB."""
_FORM_OVERHEAD = 64 * 1024
_FORM_PATH = "/api/v1/files/upload"
_CODES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}
_log = structlog.get_logger(__name__)

# Literal paths first: /files/chunked-upload must not match /files/{id}.
ROUTERS: tuple[APIRouter, ...] = (
    auth_router,
    uploads_router,
    files_router,
    media_router,
    search_router,
    notifications_router,
    audit_router,
    analytics_router,
    dead_events_router,
)


def create_app(
    services: Services,
    *,
    web_app: Path | None = None,
    objects_origin: str = "",
    max_simple_upload: int = 100 * 2**20,
) -> FastAPI:
    """Create the application.

    Args:
        services: What the endpoints depend on.
        web_app: The folder of the built web app.
        objects_origin: The origin of the object store, if it is not the app's own.
        max_simple_upload: Bytes of a file uploaded in a single request.
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
        max_body_size=MAX_JSON_BODY,
        telemetry={"tracing": False},
    )
    app.state.services = services
    app.state.objects_origin = objects_origin
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(operations_router())
    _allow_large_forms(body_limit(_FORM_PATH, max_simple_upload))
    if web_app is not None:
        mount_web_app(app, web_app)
    return app


def body_limit(path: str, max_simple_upload: int) -> int:
    """Return the limit on the body of a request to ``path``, in bytes."""
    return max_simple_upload + _FORM_OVERHEAD if path == _FORM_PATH else MAX_JSON_BODY


def _allow_large_forms(limit: int) -> None:
    """Set the limit of the one endpoint that takes a file in its body."""
    for route in uploads_router.routes:
        if getattr(route, "path", "") == _FORM_PATH:
            route.max_body_size = limit  # type: ignore[attr-defined]  # FastAPI's own attribute of an APIRoute


def problem_response(request: Request, problem: Problem) -> Response:
    """Return ``problem`` as ``application/problem+json``."""
    return JSONResponse(
        problem.body(request.url.path), problem.status, problem.headers, media_type="application/problem+json"
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.refused:
        await _record_refusal(request, error)
    return problem_response(request, error)


async def _record_refusal(request: Request, problem: Problem) -> None:
    services: Services = request.app.state.services
    try:
        async with services.get(Database).transaction() as tx:
            services.get(AuditService).record_refusal(
                tx, method=request.method, path=request.url.path, code=problem.code
            )
    except Problem:
        # The refusal stands though it could not be written down (the database is away).
        _log.warning("refusal not recorded", path=request.url.path, code=problem.code)


async def _on_invalid_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return problem_response(request, Problem(400, "malformed-json", "The body is not valid JSON."))
    fields: list[JsonValue] = [
        {"field": ".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]), "message": e["msg"]} for e in found
    ]
    return problem_response(request, Problem(422, "validation-failed", "The input is not valid.", errors=fields))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    cause = problem_of(error.__cause__) if error.__cause__ else None
    if cause is not None:
        # For example a full disk while buffering a large body, which FastAPI reports as an invalid body.
        return problem_response(request, cause)
    code = _CODES.get(error.status_code, "http-error" if error.status_code >= 500 else "bad-request")
    detail = error.detail if error.status_code != 404 else "There is nothing at this address."
    return problem_response(
        request, Problem(error.status_code, code, str(detail) or title_of(error.status_code), headers=error.headers)
    )


async def _on_unexpected(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is not None:
        return problem_response(request, problem)
    context = current_context()
    _log.error("unexpected error", exc_info=error, path=request.url.path)
    reference = context.request_id if context else ""
    return problem_response(
        request, Problem(500, "internal-error", f"Something went wrong here. It was logged as {reference}.")
    )
