"""Serve the built web app from the package.

Files under ``assets/`` have a hash in their name and are cached indefinitely. ``index.html`` is revalidated each time,
so that a new release appears at once. Every other path outside the API is a page of the app and returns
``index.html``. Pages of share links are a small app of their own, ``share.html``; see ``shared_page``.
"""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from metastore.entrypoints.shared_page import with_head
from metastore.features.auth.access import Public
from metastore.features.sharing.public.service import VisitsService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.problems.problem import Problem

_NOT_PAGES = (
    "api/",
    "objects/",
    "socket.io",
    "docs",
    "static-offline-docs",
    "openapi.json",
    "metrics",
    "healthz",
    "readyz",
    "assets/",
)


def content_security_policy(objects_origin: str = "") -> str:
    """Return the policy of the app's pages, which allows nothing from other origins except the object store.

    Video players pass media to the browser as ``blob:`` URLs and create their workers from such URLs.
    """
    store = f" {objects_origin}" if objects_origin else ""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:{store}; media-src 'self' blob:{store}; connect-src 'self'{store}; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def mount_web_app(app: FastAPI, folder: Path) -> None:
    """Serve the app built into ``folder`` at every path that the API does not use."""
    index = folder / "index.html"
    shared = folder / "share.html"
    app.mount("/assets", GZipMiddleware(_Assets(directory=folder / "assets", check_dir=False), minimum_size=1024))

    @app.get("/share/{token}", include_in_schema=False)
    async def shared_page(
        _caller: Public,
        token: str,
        request: Request,
        database: Transactions,
        visits: Annotated[VisitsService, provided(VisitsService)],
    ) -> Response:
        """Return the page of a share link. Its status says whether the link is over; the page then says why."""
        if not shared.is_file():
            raise HTTPException(404)
        status, link = 200, None
        try:
            async with database.reading() as tx:
                link = await visits.describe(tx, token, None)
        except Problem as problem:
            # During an outage the page itself says so, and tries again.
            status = problem.status if problem.status in (404, 410) else 200
        policy = content_security_policy(request.app.state.objects_origin)
        return HTMLResponse(
            with_head(await asyncio.to_thread(shared.read_text), link),
            status,
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": policy,
                "Referrer-Policy": "no-referrer",
                "X-Robots-Tag": "noindex",
            },
        )

    @app.get("/{path:path}", include_in_schema=False)
    async def page(_caller: Public, path: str, request: Request) -> Response:
        """Return a file of the app's top folder, or its start page."""
        if path.startswith(_NOT_PAGES) or not index.is_file():
            raise HTTPException(404)
        file = folder / path
        if path and "/" not in path and file.suffix != ".html" and file.is_file():
            return FileResponse(file, headers={"Cache-Control": "public, max-age=3600"})
        policy = content_security_policy(request.app.state.objects_origin)
        return FileResponse(
            index,
            headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy, "Referrer-Policy": "same-origin"},
        )
