"""The reaper: runs the recurring jobs of all features, round after round.

The jobs clean up what clients and crashes leave behind, such as unknown multipart uploads, old trash, expired sessions
and old idempotency keys. Each job is bounded and may be repeated. Several reapers may run at once, because each
deletion is one conditional statement.
"""

import asyncio
from collections.abc import Mapping

import structlog

from metastore.kit.feature import Job

_log = structlog.get_logger(__name__)


class Reaper:
    """Runs every job once per round, with a pause of ``interval`` seconds between rounds."""

    def __init__(self, jobs: Mapping[str, Job], interval: float) -> None:
        self._jobs = jobs
        self._interval = interval

    async def run(self) -> None:
        """Run rounds until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(self._interval)

    async def round(self) -> None:
        """Run every job once. A job that fails is logged and runs again in the next round."""
        for name, job in self._jobs.items():
            try:
                await job()
            except Exception:  # noqa: BLE001  logged, and the other jobs follow
                _log.exception("recurring job failed", job=name)
