"""Letting many through at a time, or one alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turnstile:
    """Keeps those who must be alone (complete, abort) apart from those who may be many (parts being written)."""

    def __init__(self) -> None:
        self._inside = 0
        self._barred = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def among_others(self) -> AsyncIterator[None]:
        """Be inside together with others, but with nobody who is alone."""
        while self._barred:
            await self._changed.wait()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be inside with nobody else; newcomers wait."""
        while self._barred:
            await self._changed.wait()
        self._barred = True
        try:
            while self._inside:
                await self._changed.wait()
            yield
        finally:
            self._barred = False
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
