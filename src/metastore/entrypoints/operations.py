"""Endpoints for operators and monitors, and the public facts that a client asks for before sign-in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from metastore import __version__
from metastore.kit.http import provided
from metastore.kit.schema import Schema

CHECK_SECONDS = 5


class ReadinessChecks:
    """The dependencies of this process, each by name with a call that raises when it is not usable."""

    def __init__(self, checks: dict[str, Callable[[], Awaitable[None]]]) -> None:
        self._checks = checks
        self.stopping = False
        """Set when this process was told to stop: it is not ready for more, whatever its dependencies say."""

    async def run(self) -> dict[str, bool]:
        """Ask all of them at once; one that takes longer than ``CHECK_SECONDS`` is down."""
        results = await asyncio.gather(*(self._passes(check) for check in self._checks.values()))
        return dict(zip(self._checks, results, strict=True))

    @staticmethod
    async def _passes(check: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except Exception:  # noqa: BLE001  whatever is wrong with a dependency, the answer is "down"
            return False
        return True


class Readiness(Schema):
    """``checks`` names each dependency with ``ok`` or ``down``."""

    status: Literal["ready", "unready", "stopping"]
    checks: dict[str, Literal["ok", "down"]]


class PublicConfig(Schema):
    """What a client must know before anyone has signed in; sizes in bytes."""

    registration: Literal["open", "closed"]
    max_file_size: int
    max_simple_upload_size: int
    version: str = __version__


def operations_router() -> APIRouter:
    """``/healthz``, ``/readyz``, ``/metrics`` and ``/api/v1/config``."""
    router = monitoring_router()

    @router.get("/api/v1/config")
    async def public_config(config: Annotated[PublicConfig, provided(PublicConfig)]) -> PublicConfig:
        """Facts that a client needs before sign-in."""
        return config

    return router


def monitoring_router() -> APIRouter:
    """``/healthz``, ``/readyz`` and ``/metrics``, which every process has."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(checks: Annotated[ReadinessChecks, provided(ReadinessChecks)], response: Response) -> Readiness:
        """Every dependency by name; 503 when one is down, or when this process is about to stop."""
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
    async def metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
