"""Thread pools for file operations, so that the event loop never waits for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from metastore.adapters.object_store.local.errors import translate_os_errors
from metastore.kit.waiting import finished

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class FileThreads:
    """A thread pool that raises the port's errors for ``OSError``."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="objects")

    async def call(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Run ``function`` in a thread and return its result.

        A cancelled call returns only after the thread has finished, so that the caller can clean up its files.
        """
        return await result_of(self.submit(lambda: function(*args, **kwargs)))

    def submit(self, function: Callable[[], Result]) -> asyncio.Future[Result]:
        """Run ``function`` in a thread, and return the future of its result.

        Raises:
            RuntimeError: the pool is closed.
        """
        return asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Stop the threads once all submitted work is done."""
        self._pool.shutdown()


async def result_of(work: asyncio.Future[Result]) -> Result:
    """Return the result of ``work`` as ``finished`` does; raise the port's errors for ``OSError``."""
    with translate_os_errors():
        return await finished(work)


@dataclass(frozen=True, slots=True)
class StoreThreads:
    """Separate pools for short file operations and for receiving parts, so that neither delays the other."""

    files: FileThreads
    receiving: FileThreads

    def close(self) -> None:
        """Stop both pools once all submitted work is done."""
        self.receiving.close()
        self.files.close()
