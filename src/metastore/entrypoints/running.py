"""How every process of the product runs: its work beside what it answers to, until it is told to stop.

A SIGTERM or SIGINT ends a process in good order, with exit code 0. When work that should go on ends by itself, the
process ends with code 1, for whoever watches it to start it anew: half a product would look alive.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog

from metastore.bootstrap import Product
from metastore.config import ConfigurationError
from metastore.features.auth.commands import ensure_first_admin
from metastore.kit.feature import Job

_log = structlog.get_logger(__name__)


def told_to_stop() -> "asyncio.Future[None]":
    """A future that is done once this process got SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not told.done():
            told.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell)
    return told


@contextlib.asynccontextmanager
async def running(jobs: Mapping[str, Job]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Jobs at work, by name; they are cancelled, and waited for, at the end of the block."""
    work = [asyncio.create_task(_do(job), name=name) for name, job in jobs.items()]
    try:
        yield work
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def until_stopped(stop: "asyncio.Future[None]", work: Sequence["asyncio.Task[None]"]) -> None:
    """Return once told to stop, or once any of the work has ended."""
    await asyncio.wait({stop, *work}, return_when=asyncio.FIRST_COMPLETED)


def exit_unless(stop: "asyncio.Future[None]", work: Sequence["asyncio.Task[None]"]) -> None:
    """Say which work ended unasked.

    Raises:
        SystemExit: with code 1, when it was not ``stop`` that ended the process.
    """
    if stop.done():
        return
    for task in work:
        if task.done():
            _log.critical("background work ended", work=task.get_name(), exc_info=task.exception())
    raise SystemExit(1)


async def make_first_admin(product: Product) -> str | None:
    """Make the admin when there is no user yet; the password that was made up for it, if one had to be.

    Raises:
        ConfigurationError: the name or password that was set is not acceptable.
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
