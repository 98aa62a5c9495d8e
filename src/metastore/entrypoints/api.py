"""``metastore api``: the HTTP API, the web app and the sockets, as one of many such processes behind a gateway.

Told to stop, it first says so by ``/readyz`` (503) while it goes on answering, for whoever watches that to send new
requests elsewhere; then it takes no more connections, ends the requests that run, and goes.
"""

import asyncio
import sys

import structlog
import uvloop

from metastore import bootstrap
from metastore.bootstrap import Product
from metastore.config import Settings, require_shared_backends
from metastore.entrypoints.logs import configure_logs
from metastore.entrypoints.objects.tuning import keep_freed_memory
from metastore.entrypoints.operations import ReadinessChecks
from metastore.entrypoints.running import exit_unless, make_first_admin, running, told_to_stop, until_stopped
from metastore.entrypoints.serve import build_asgi, refuse_used_port
from metastore.entrypoints.server import HttpServer

GRACE_SECONDS = 60
"""How long requests may still run after the last connection was taken; a part of an upload, at the longest."""
_log = structlog.get_logger(__name__)


def api(settings: Settings) -> None:
    """Run until told to stop.

    Raises:
        ConfigurationError: the port is in use, or a setting does not fit.
    """
    require_shared_backends(settings, "api")
    configure_logs(settings.log_level)
    keep_freed_memory()
    refuse_used_port(settings.host, settings.port)
    uvloop.run(_api(settings))


async def _api(settings: Settings) -> None:
    stop = told_to_stop()
    await bootstrap.prepare_database(settings)
    product = await bootstrap.build(settings)
    try:
        made_password = await make_first_admin(product)
        if made_password is not None:
            sys.stdout.write(
                f"Sign in as {settings.admin_username} with the password {made_password} (shown this once)\n"
            )
            sys.stdout.flush()
        async with running({"ended sessions": product.ended_sessions.run}) as work:
            serving = await _serve(product, stop, work)
            exit_unless(stop, [serving, *work])
    finally:
        await product.aclose()


async def _serve(
    product: Product, stop: "asyncio.Future[None]", work: list["asyncio.Task[None]"]
) -> "asyncio.Task[None]":
    settings = product.settings
    app = build_asgi(product)
    server = HttpServer(app, host=settings.host, port=settings.port, answer_now=app.answer_now, grace=GRACE_SECONDS)
    serving = asyncio.create_task(server.serve(), name="http")
    _log.info("api is running", host=settings.host, port=settings.port)
    await until_stopped(stop, [serving, *work])
    if stop.done():
        product.services.get(ReadinessChecks).stopping = True
        await asyncio.wait([serving], timeout=settings.drain_seconds)
    # Sockets first: the server waits for open connections, and these never end by themselves.
    await product.realtime.aclose()
    server.stop()
    await asyncio.wait([serving])
    return serving
