"""The life cycle of a process: background jobs, signals and exit codes.

On SIGTERM or SIGINT a process shuts down gracefully and exits with code 0. When a background job ends by itself, the
process exits with code 1, so that a supervisor restarts it. Otherwise it would look healthy while doing half its work.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog

from metastore.bootstrap import Product
from metastore.config import ConfigurationError
from metastore.features.auth.accounts.provisioning import ensure_first_admin
from metastore.kit.feature import Job

_log = structlog.get_logger(__name__)


def stop_signal() -> "asyncio.Future[None]":
    """Return a future that completes when this process receives SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        if not received.done():
            received.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, notify)
    return received


@contextlib.asynccontextmanager
async def run_jobs(jobs: Mapping[str, Job]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run jobs, by name, as tasks; cancel them and wait for them at the end of the block."""
    work = [asyncio.create_task(_do(job), name=name) for name, job in jobs.items()]
    try:
        yield work
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def wait_for_stop(stop: "asyncio.Future[None]", work: Sequence["asyncio.Task[None]"]) -> None:
    """Wait for the stop signal, or until any task ends."""
    await asyncio.wait({stop, *work}, return_when=asyncio.FIRST_COMPLETED)


def exit_unless_stopped(stop: "asyncio.Future[None]", work: Sequence["asyncio.Task[None]"]) -> None:
    """Log the tasks that ended by themselves.

    Raises:
        SystemExit: with code 1, unless the stop signal was received.
    """
    if stop.done():
        return
    for task in work:
        if task.done():
            _log.critical("background job ended", job=task.get_name(), exc_info=task.exception())
    raise SystemExit(1)


async def create_first_admin(product: Product) -> str | None:
    """Create the admin when there is no user yet.

    Returns the generated password, or ``None`` when no admin was created or the password was configured.

    Raises:
        ConfigurationError: the configured name or password is invalid.
    """
    settings = product.settings
    try:
        return await ensure_first_admin(
            product.accounts, product.database, settings.admin_username, settings.admin_password.get_secret_value()
        )
    except ValueError as error:
        raise ConfigurationError(f"METASTORE_ADMIN_USERNAME, METASTORE_ADMIN_PASSWORD: {error}") from None


async def _do(job: Job) -> None:
    await job()
