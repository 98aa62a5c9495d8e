"""A lock with shared and exclusive access, for asyncio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SharedExclusiveLock:
    """Any number of shared holders, or one exclusive holder.

    A waiting exclusive holder takes precedence: new shared holders wait until it is done.
    """

    def __init__(self) -> None:
        self._shared_holders = 0
        self._is_exclusive = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold the lock together with other shared holders."""
        while self._is_exclusive:
            await self._changed.wait()
        self._shared_holders += 1
        try:
            yield
        finally:
            self._shared_holders -= 1
            self._notify()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold the lock alone."""
        while self._is_exclusive:
            await self._changed.wait()
        self._is_exclusive = True
        try:
            while self._shared_holders:
                await self._changed.wait()
            yield
        finally:
            self._is_exclusive = False
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
