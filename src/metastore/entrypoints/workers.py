"""``metastore relay`` and ``metastore worker``: background processes. Any number of each may run.

Work that a process leaves unfinished, even when it is killed, is taken over by another. With
``METASTORE_METRICS_PORT`` they serve ``/healthz``, ``/readyz`` and ``/metrics``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog
import uvloop
from fastapi import FastAPI

from metastore import bootstrap
from metastore.bootstrap import Product
from metastore.config import ConfigurationError, Settings, require_shared_backends
from metastore.entrypoints.lifecycle import exit_unless_stopped, run_jobs, stop_signal, wait_for_stop
from metastore.entrypoints.logs import configure_logs
from metastore.entrypoints.operations import ReadinessChecks, monitoring_router
from metastore.entrypoints.route_callers import require_callers
from metastore.entrypoints.serve import refuse_used_port
from metastore.entrypoints.server import HttpServer
from metastore.kit.feature import Job
from metastore.kit.services import Services

_log = structlog.get_logger(__name__)


def relay(settings: Settings) -> None:
    """Publish events from the outbox to the broker until the stop signal.

    Raises:
        ConfigurationError: a setting is invalid.
    """
    _run(settings, "relay", ())


def worker(settings: Settings, names: Sequence[str]) -> None:
    """Run the named consumers and recurring jobs, or all of them, until the stop signal.

    Raises:
        ConfigurationError: a setting is invalid, or a name is unknown.
    """
    _run(settings, "worker", names)


def _run(settings: Settings, command: str, names: Sequence[str]) -> None:
    require_shared_backends(settings, command)
    configure_logs(settings.log_level)
    if settings.metrics_port:
        _refuse_used_port(settings.metrics_host, settings.metrics_port)
    uvloop.run(_work(settings, command, names))


def _refuse_used_port(host: str, port: int) -> None:
    try:
        refuse_used_port(host, port)
    except ConfigurationError:
        raise ConfigurationError(f"METASTORE_METRICS_PORT: {host}:{port} cannot be bound") from None


async def _work(settings: Settings, command: str, names: Sequence[str]) -> None:
    stop = stop_signal()
    await bootstrap.prepare_database(settings)
    product = await bootstrap.build(settings, serves_sockets=False)
    try:
        jobs = {"relay": product.relay.run} if command == "relay" else select_jobs(product, names)
        async with serve_monitoring(product) as serving, run_jobs(jobs) as work:
            _log.info(f"{command} is running", jobs=sorted(jobs), consumers=sorted(set(names) & product.consumers))
            await wait_for_stop(stop, [*serving, *work])
            exit_unless_stopped(stop, [*serving, *work])
    finally:
        await product.aclose()


def select_jobs(product: Product, names: Sequence[str]) -> Mapping[str, Job]:
    """Return the jobs with these names, or all. A name may be that of a consumer, a job, or both.

    Raises:
        ConfigurationError: a name is unknown.
    """
    unknown = sorted(set(names) - product.consumers - set(product.jobs))
    if unknown:
        known = ", ".join(sorted(product.consumers | set(product.jobs)))
        raise ConfigurationError(f"there is no worker named {unknown[0]}; choose from {known}")
    jobs = {name: job for name, job in product.jobs.items() if not names or name in names}
    consumers = product.consumers & set(names) if names else product.consumers
    if consumers:

        async def consume() -> None:
            await product.bus.run(consumers)

        jobs["consumers"] = consume
    return jobs


@contextlib.asynccontextmanager
async def serve_monitoring(product: Product) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Serve the monitoring endpoints until the end of the block, if a port is configured for them."""
    settings = product.settings
    if not settings.metrics_port:
        yield []
        return
    services = Services()
    services.add(ReadinessChecks(product.checks))
    app = FastAPI(openapi_url=None, telemetry={"tracing": False})
    app.state.services = services
    app.include_router(monitoring_router())
    require_callers(app)
    server = HttpServer(
        app, host=settings.metrics_host, port=settings.metrics_port, protocol=settings.http_server, grace=1
    )
    serving = asyncio.create_task(server.serve(), name="monitoring")
    try:
        yield [serving]
    finally:
        server.stop()
        await asyncio.gather(serving, return_exceptions=True)
