"""Endpoints for monitoring, and the public settings that a client needs before signing in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from metastore import __version__
from metastore.features.auth.access import Public
from metastore.kit.api.dependencies import provided
from metastore.kit.api.schema import Schema

CHECK_SECONDS = 5


class ReadinessChecks:
    """Checks of this process's dependencies, by name. A check raises if its dependency cannot be used."""

    def __init__(self, checks: dict[str, Callable[[], Awaitable[None]]]) -> None:
        self._checks = checks
        self.stopping = False
        """Set during shutdown: the process is not ready, whatever the checks say."""

    async def run(self) -> dict[str, bool]:
        """Run all checks concurrently. One that takes longer than ``CHECK_SECONDS`` fails."""
        results = await asyncio.gather(*(self._passes(check) for check in self._checks.values()))
        return dict(zip(self._checks, results, strict=True))

    @staticmethod
    async def _passes(check: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except Exception:  # noqa: BLE001  any exception means that the dependency is down
            return False
        return True


class Readiness(Schema):
    """Readiness of the process, and ``ok`` or ``down`` for each dependency."""

    status: Literal["ready", "unready", "stopping"]
    checks: dict[str, Literal["ok", "down"]]


class PublicConfig(Schema):
    """Settings that a client needs before signing in. Sizes are in bytes."""

    registration: Literal["open", "closed"]
    max_file_size: int
    max_simple_upload_size: int
    version: str = __version__


def operations_router() -> APIRouter:
    """Return the router of ``/healthz``, ``/readyz``, ``/metrics`` and ``/api/v1/config``."""
    router = monitoring_router()

    @router.get("/api/v1/config")
    async def public_config(_caller: Public, config: Annotated[PublicConfig, provided(PublicConfig)]) -> PublicConfig:
        """Settings that a client needs before signing in."""
        return config

    return router


def monitoring_router() -> APIRouter:
    """Return the router of ``/healthz``, ``/readyz`` and ``/metrics``, which every process has."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz(_caller: Public) -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(
        _caller: Public, checks: Annotated[ReadinessChecks, provided(ReadinessChecks)], response: Response
    ) -> Readiness:
        """The state of every dependency. 503 when one is down, or when the process is shutting down."""
        results = await checks.run()
        status: Literal["ready", "unready", "stopping"] = "ready" if all(results.values()) else "unready"
        if checks.stopping:
            status = "stopping"
        response.status_code = 200 if status == "ready" else 503
        return Readiness(
            status=status,
            checks={name: "ok" if up else "down" for name, up in results.items()},
        )

    @router.get("/metrics", include_in_schema=False)
    async def metrics(_caller: Public) -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
