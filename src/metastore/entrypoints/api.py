"""``metastore api``: the HTTP API, the web app and the sockets, as one of several such processes behind a gateway.

After the stop signal ``/readyz`` returns 503 for a while, so that a load balancer sends new requests elsewhere. The
process still serves requests in that time. Then it accepts no more connections, finishes the requests in progress and
exits.
"""

import asyncio
import sys

import structlog
import uvloop

from metastore import bootstrap
from metastore.bootstrap import Product
from metastore.config import Settings, require_shared_backends
from metastore.entrypoints.lifecycle import (
    create_first_admin,
    exit_unless_stopped,
    run_jobs,
    stop_signal,
    wait_for_stop,
)
from metastore.entrypoints.logs import configure_logs
from metastore.entrypoints.objects.allocator import keep_freed_memory
from metastore.entrypoints.operations import ReadinessChecks
from metastore.entrypoints.serve import build_asgi, refuse_used_port
from metastore.entrypoints.server import HttpServer

GRACE_SECONDS = 60
"""Seconds in which requests in progress must finish after the last connection was accepted."""
_log = structlog.get_logger(__name__)


def api(settings: Settings) -> None:
    """Run until the stop signal.

    Raises:
        ConfigurationError: the port is in use, or a setting is invalid.
    """
    require_shared_backends(settings, "api")
    configure_logs(settings.log_level)
    refuse_used_port(settings.host, settings.port)
    uvloop.run(_api(settings))


async def _api(settings: Settings) -> None:
    stop = stop_signal()
    await bootstrap.prepare_database(settings)
    product = await bootstrap.build(settings)
    try:
        password = await create_first_admin(product)
        if password is not None:
            sys.stdout.write(f"Sign in as {settings.admin_username} with the password {password} (shown only once)\n")
            sys.stdout.flush()
        keep_freed_memory()
        async with run_jobs({"ended sessions": product.ended_sessions.run}) as work:
            serving = await _serve(product, stop, work)
            exit_unless_stopped(stop, [serving, *work])
    finally:
        await product.aclose()


async def _serve(
    product: Product, stop: "asyncio.Future[None]", work: list["asyncio.Task[None]"]
) -> "asyncio.Task[None]":
    settings = product.settings
    app = build_asgi(product)
    server = HttpServer(
        app,
        host=settings.host,
        port=settings.port,
        protocol=settings.http_server,
        ready_response=app.ready_response,
        grace=GRACE_SECONDS,
    )
    serving = asyncio.create_task(server.serve(), name="http")
    _log.info("api is running", host=settings.host, port=settings.port)
    await wait_for_stop(stop, [serving, *work])
    if stop.done():
        product.services.get(ReadinessChecks).stopping = True
        await asyncio.wait([serving], timeout=settings.drain_seconds)
    # Sockets first: the server waits for open connections, and sockets do not end by themselves.
    await product.realtime.aclose()
    server.stop()
    await asyncio.wait([serving])
    return serving
