"""``metastore serve``: everything in one process.

One event loop runs the HTTP server, the relay, the consumers and the recurring jobs. On SIGTERM or SIGINT the process
accepts no more requests, finishes those in progress and exits. SIGKILL at any moment loses nothing that was
acknowledged.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from metastore import bootstrap
from metastore.bootstrap import Product
from metastore.config import ConfigurationError, Settings
from metastore.entrypoints.http import body_limit, create_app, routers_of
from metastore.entrypoints.lifecycle import (
    create_first_admin,
    exit_unless_stopped,
    run_jobs,
    stop_signal,
    wait_for_stop,
)
from metastore.entrypoints.logs import configure_logs
from metastore.entrypoints.middleware import RequestMiddleware
from metastore.entrypoints.objects import ObjectsApp
from metastore.entrypoints.objects.allocator import keep_freed_memory
from metastore.entrypoints.operations import PublicConfig, ReadinessChecks
from metastore.entrypoints.realtime import create_realtime_app
from metastore.entrypoints.server import HttpServer
from metastore.features.auth.access import authenticate
from metastore.features.auth.schemas import Caller
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.kit.idempotency import claims

WEB_APP = Path(__file__).parent.parent / "webapp"


def serve(settings: Settings) -> None:
    """Run until the stop signal.

    Raises:
        ConfigurationError: the data folder or the port is in use, or a setting is invalid.
    """
    configure_logs(settings.log_level)
    with data_dir_lock(settings.data_dir):
        refuse_used_port(settings.host, settings.port)
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    await bootstrap.prepare_database(settings)
    async with running_product(settings) as (product, work):
        async with product.database.transaction() as tx:
            # This is the only process, so whoever held claims on idempotency keys is gone.
            await claims.end_leases(tx)
        password = await create_first_admin(product)
        keep_freed_memory()
        app = build_asgi(product)
        server = HttpServer(
            app,
            host=settings.host,
            port=settings.port,
            protocol=settings.http_server,
            ready_response=app.ready_response,
        )
        stop = stop_signal()
        _print_address(settings, password)
        serving = asyncio.create_task(server.serve())
        await wait_for_stop(stop, [serving, *work])
        # Sockets first: the server waits for open connections, and sockets do not end by themselves.
        await product.realtime.aclose()
        server.stop()
        await serving
        exit_unless_stopped(stop, [serving, *work])


@contextlib.asynccontextmanager
async def running_product(settings: Settings) -> AsyncIterator[tuple[Product, list["asyncio.Task[None]"]]]:
    """Build the product and run its background jobs until the end of the block."""
    product = await bootstrap.build(settings)
    jobs = {
        **product.jobs,
        "relay": product.relay.run,
        "consumers": product.bus.run,
        "ended sessions": product.ended_sessions.run,
    }
    try:
        async with run_jobs(jobs) as work:
            yield product, work
    finally:
        await product.aclose()


class Application:
    """Dispatches requests by path to the object data plane, the sockets or the HTTP API."""

    def __init__(self, objects: ObjectsApp | None, sockets: ASGIApp, http: ASGIApp) -> None:
        self._objects = objects
        self._sockets = sockets
        self._http = http
        self.ready_response = objects.ready_response if objects else None
        """Returns ready responses (see ``server``); ``None`` without a data plane."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch a request."""
        path = scope["path"]
        if self._objects is not None and path.startswith("/objects/"):
            await self._objects(scope, receive, send)
        elif path.startswith("/socket.io"):
            await self._sockets(scope, receive, send)
        else:
            await self._http(scope, receive, send)


def build_asgi(product: Product) -> Application:
    """Return the ASGI application of ``product``."""
    settings = product.settings
    product.services.add(
        PublicConfig(
            registration=settings.registration,
            max_file_size=settings.max_file_size,
            max_simple_upload_size=settings.max_simple_upload_size,
        )
    )
    product.services.add(ReadinessChecks(product.checks))
    api = create_app(
        product.services,
        routers_of(product.features),
        web_app=WEB_APP,
        objects_origin=product.store.public_origin,
        max_simple_upload=settings.max_simple_upload_size,
    )
    http = RequestMiddleware(
        api,
        public_origin=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
        body_limit=lambda path: body_limit(path, settings.max_simple_upload_size),
    )
    origins = [settings.public_url] if settings.public_url else []
    services = product.services

    async def caller_of(cookies: Mapping[str, str]) -> Caller:
        return await authenticate(services.get(AuthService), services.get(SessionCookies), product.database, cookies)

    sockets = create_realtime_app(lambda: product.realtime.server, caller_of, origins)
    store = product.local_store
    objects = ObjectsApp(store, allowed_origins=origins) if store else None
    return Application(objects, sockets, http)


def _print_address(settings: Settings, password: str | None) -> None:
    address = settings.public_url or f"http://{_reachable(settings.host)}:{settings.port}"
    lines = [f"MetaStore is running at {address}"]
    if password is not None:
        lines.append(f"Sign in as {settings.admin_username} with the password {password} (shown only once)")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def data_dir_lock(data_dir: Path) -> Iterator[None]:
    """Lock ``data_dir`` for this process: SQLite and the embedded store allow a single writing process.

    Raises:
        ConfigurationError: another process holds the lock, or the folder is not writable.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(data_dir / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"METASTORE_DATA_DIR: {data_dir} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigurationError(f"METASTORE_DATA_DIR: {data_dir} is in use by another metastore process") from None
    finally:
        os.close(handle)


def refuse_used_port(host: str, port: int) -> None:
    """Fail early, with a one-line message, if the port is in use.

    Raises:
        ConfigurationError: the port is in use, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigurationError(f"METASTORE_PORT: {port} is in use; choose another with --port") from None
            raise ConfigurationError(f"METASTORE_HOST: {host}:{port}: {error.strerror}") from None
