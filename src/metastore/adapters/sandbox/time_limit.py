"""A time limit on a child that does not count the time in which others have the processors."""

import asyncio
from types import TracebackType

from metastore.adapters.sandbox.scheduling import seconds_without_processor

_NEGLIGIBLE = 0.1
"""Seconds of waiting for a processor that extend no limit."""


class ProcessorWait:
    """How long a child has waited for a processor. Its processor time has a limit of its own, which is not extended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._taken = 0.0

    def take(self) -> float:
        """Return the seconds that no earlier call has returned."""
        waited = seconds_without_processor(self._pid)
        new, self._taken = waited - self._taken, max(waited, self._taken)
        return new


class TimeLimit:
    """Ends a block after ``seconds`` with ``TimeoutError``; later, if the child waits for a processor meanwhile."""

    def __init__(self, seconds: float, wait: ProcessorWait) -> None:
        self._timeout = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._wait = wait
        self._check: asyncio.TimerHandle | None = None
        self._extended = 0.0

    @property
    def uncounted(self) -> float:
        """Seconds by which the limit was extended."""
        return self._extended

    async def __aenter__(self) -> "TimeLimit":
        """Start the time."""
        await self._timeout.__aenter__()
        self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the time.

        Raises:
            TimeoutError: the time is up.
        """
        self.pause()
        await self._timeout.__aexit__(kind, error, traceback)

    def pause(self) -> None:
        """Do not end the block until ``resume``."""
        if self._check is not None:
            self._check.cancel()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._check = self._loop.call_at(self._deadline, self._end_or_extend)

    def extend(self, seconds: float) -> None:
        """Extend the limit; call ``resume`` afterwards."""
        self._deadline += seconds
        self._extended += seconds

    def _end_or_extend(self) -> None:
        waited = self._wait.take()
        if waited > _NEGLIGIBLE:
            self.extend(waited)
            self.resume()
        else:
            self._timeout.reschedule(self._loop.time())
