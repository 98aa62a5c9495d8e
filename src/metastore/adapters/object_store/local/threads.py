"""Threads for file work, so that the event loop never waits for a disk."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from metastore.adapters.object_store.local.failures import store_failures

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class FileThreads:
    """Runs blocking functions; their ``OSError`` comes out as the port's errors."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="objects")

    async def call(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """``function(*args)`` in a thread. When cancelled, returns only once the thread is done with the files."""
        work = asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args, **kwargs))
        with store_failures():
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                while not work.done():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.wait([work])
                if not work.cancelled():
                    work.exception()
                raise

    def close(self) -> None:
        """End the threads, after the work that they have."""
        self._pool.shutdown()


@dataclass(frozen=True, slots=True)
class StoreThreads:
    """Those for short work, and those that take parts in, so that neither waits for the other."""

    files: FileThreads
    receiving: FileThreads

    def close(self) -> None:
        """End all of them, after the work that they have."""
        self.receiving.close()
        self.files.close()
