"""The interface of checks, and how a check is run."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

_BATCH = 200
"""Suspects that are confirmed together."""
RECHECK_DELAYS = (1.0, 3.0)
"""Seconds before each further confirmation, to let work in progress finish."""


class Severity(StrEnum):
    """``ERROR``: users may notice the inconsistency. ``WARNING``: it only wastes space or time."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """An inconsistency.

    ``found`` describes it, and ``repair`` says what a repair does about it. ``fsck --json`` prints the fields.
    """

    kind: str
    severity: Severity
    id: str
    found: str
    repair: str


Subject = TypeVar("Subject")


class Check(Protocol, Generic[Subject]):
    """A kind of inconsistency to detect; a ``Subject`` identifies one suspected case."""

    def suspects(self) -> AsyncIterator[Subject]:
        """Yield every suspected case (an async generator)."""
        ...

    async def confirm(self, suspect: Subject) -> Finding | None:
        """Check a suspect again; return ``None`` if nothing is wrong."""
        ...

    async def repair(self, suspect: Subject) -> str:
        """Repair a confirmed case; return a few words on what was done."""
        ...


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A finding, and what a repair did about it, if anything."""

    finding: Finding
    repaired: str | None


async def run_check(
    check: Check[Subject], *, repair: bool = False, recheck_delays: Sequence[float] = RECHECK_DELAYS
) -> AsyncIterator[CheckResult]:
    """Yield the confirmed findings of ``check``, repaired if ``repair`` is set.

    ``recheck_delays`` are the seconds before each confirmation after the first.
    """
    batch: list[Subject] = []
    async for suspect in check.suspects():
        batch.append(suspect)
        if len(batch) == _BATCH:
            for checked in await _confirm(check, batch, repair=repair, recheck_delays=recheck_delays):
                yield checked
            batch = []
    for checked in await _confirm(check, batch, repair=repair, recheck_delays=recheck_delays):
        yield checked


async def _confirm(
    check: Check[Subject], suspects: list[Subject], *, repair: bool, recheck_delays: Sequence[float]
) -> list[CheckResult]:
    found = [(suspect, finding) for suspect in suspects if (finding := await check.confirm(suspect))]
    for pause in recheck_delays:
        if not found:
            return []
        await asyncio.sleep(pause)
        found = [(suspect, finding) for suspect, _ in found if (finding := await check.confirm(suspect))]
    return [CheckResult(finding, await check.repair(suspect) if repair else None) for suspect, finding in found]
