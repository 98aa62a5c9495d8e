"""Serve the built web app from the package.

Files under ``assets/`` have a hash in their name and are cached indefinitely. ``index.html`` is revalidated each time,
so that a new release appears at once. Every other path outside the API is a page of the app and returns
``index.html``.
"""

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from metastore.features.auth.access import Public

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
    app.mount("/assets", GZipMiddleware(_Assets(directory=folder / "assets", check_dir=False), minimum_size=1024))

    @app.get("/{path:path}", include_in_schema=False)
    async def page(_caller: Public, path: str, request: Request) -> Response:
        """Return a file of the app's top folder, or its start page."""
        if path.startswith(_NOT_PAGES) or not index.is_file():
            raise HTTPException(404)
        file = folder / path
        if path and "/" not in path and path != "index.html" and file.is_file():
            return FileResponse(file, headers={"Cache-Control": "public, max-age=3600"})
        policy = content_security_policy(request.app.state.objects_origin)
        return FileResponse(
            index,
            headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy, "Referrer-Policy": "same-origin"},
        )
