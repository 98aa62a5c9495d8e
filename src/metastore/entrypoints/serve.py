"""``metastore serve``: everything in one process, beside that of the embedded store's data plane.

One event loop runs the HTTP server, the relay, the consumers and the recurring jobs. On SIGTERM or SIGINT the process
accepts no more requests, finishes those in progress and exits. SIGKILL at any moment loses nothing that was
acknowledged. ``data_plane`` describes the other processes.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from metastore import bootstrap
from metastore.bootstrap import Product
from metastore.config import ConfigurationError, Settings
from metastore.embedded_store import locked_embedded_store
from metastore.entrypoints.data_plane.link import DataPlaneLink
from metastore.entrypoints.data_plane.unavailable_store import UnavailableStore
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
from metastore.ports.served_objects import ServedObjectStore

WEB_APP = Path(__file__).parent.parent / "webapp"
GRACE_SECONDS = 60
"""Seconds in which requests in progress must finish after the stop signal."""


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
    async with running_data_plane(settings) as plane, running_product(settings, plane) as (product, work):
        async with product.database.transaction() as tx:
            # This is the only process, so whoever held claims on idempotency keys is gone.
            await claims.end_leases(tx)
        password = await create_first_admin(product)
        keep_freed_memory()
        app = build_asgi(product, has_data_plane=plane is None)
        server = HttpServer(
            app,
            host=settings.host,
            port=settings.port,
            protocol=settings.http_server,
            ready_response=app.ready_response,
            neighbour=plane,
            grace=GRACE_SECONDS,
        )
        if plane is not None:
            plane.pass_back_to(server.adopt)
        stop = stop_signal()
        _print_address(settings, password)
        serving = asyncio.create_task(server.serve())
        await wait_for_stop(stop, [serving, *work])
        # Sockets first: the server waits for open connections, and sockets do not end by themselves.
        await product.realtime.aclose()
        deadline = time.monotonic() + GRACE_SECONDS
        server.stop()
        await serving
        if plane is not None:
            await plane.drain(max(0, deadline - time.monotonic()))
        exit_unless_stopped(stop, [serving, *work])


@contextlib.asynccontextmanager
async def running_data_plane(settings: Settings) -> AsyncIterator[DataPlaneLink | None]:
    """Prepare the database, and run the data plane process for the block; ``None`` if there is none to run.

    There is none for another store, and none with uvicorn's own protocol class, which cannot pass connections.

    Raises:
        ConfigurationError: the database or the store cannot be used.
    """
    if settings.http_server != "extended":
        await bootstrap.prepare_database(settings)
        yield None
        return
    with locked_embedded_store(settings) as store:
        if store is None:
            await bootstrap.prepare_database(settings)
            yield None
            return
        plane = DataPlaneLink(store, writing_origins(settings), settings.log_level)
        starting = asyncio.create_task(plane.start())
        try:
            await bootstrap.prepare_database(settings)
            await starting
            yield plane
        finally:
            starting.cancel()
            await plane.aclose()


@contextlib.asynccontextmanager
async def running_product(
    settings: Settings, plane: DataPlaneLink | None = None
) -> AsyncIterator[tuple[Product, list["asyncio.Task[None]"]]]:
    """Build the product and run its background jobs until the end of the block."""
    product = await bootstrap.build(settings, uploads=plane.uploads if plane else None)
    jobs = {
        **({"data plane": plane.keep_running} if plane else {}),
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


def build_asgi(product: Product, *, has_data_plane: bool = True) -> Application:
    """Return the ASGI application of ``product``.

    Without ``has_data_plane``, another process serves ``/objects/…``, and is unavailable whenever a request comes here.
    """
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
    origins = writing_origins(settings)
    services = product.services

    async def caller_of(cookies: Mapping[str, str]) -> Caller:
        return await authenticate(services.get(AuthService), services.get(SessionCookies), product.database, cookies)

    sockets = create_realtime_app(lambda: product.realtime.server, caller_of, origins)
    store = product.local_store
    served: ServedObjectStore | None = store if store is None or has_data_plane else UnavailableStore()
    objects = ObjectsApp(served, allowed_origins=origins) if served else None
    return Application(objects, sockets, http)


def writing_origins(settings: Settings) -> list[str]:
    """Return the other origins whose pages may use the sockets and write objects: that of the web app."""
    return [settings.public_url] if settings.public_url else []


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
def data_dir_lock(data_dir: Path) -> Iterator[int]:
    """Lock ``data_dir`` for this process: SQLite and the embedded store allow a single writing product.

    Yields the descriptor that holds the lock.

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
        yield handle
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
