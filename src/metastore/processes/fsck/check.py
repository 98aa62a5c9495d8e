"""What all checks have in common: suspicion, the second look, the repair."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

_BATCH = 200
"""So many suspicions are looked at again together."""
PAUSES = (1.0, 3.0)
"""Seconds before each further look: time for what is under way to end."""


class Severity(StrEnum):
    """How bad it is: something that people may miss, or something that only takes up room or time."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be; ``repair`` says what a repair does about it."""

    kind: str
    severity: Severity
    id: str
    found: str
    repair: str


Subject = TypeVar("Subject")


class Check(Protocol, Generic[Subject]):
    """One thing to be checked. ``Subject`` is what a suspicion is about."""

    def suspects(self) -> AsyncIterator[Subject]:
        """Everything that looks wrong at first sight (an async generator)."""
        ...

    async def confirm(self, suspect: Subject) -> Finding | None:
        """A fresh look; ``None`` when all is well."""
        ...

    async def repair(self, suspect: Subject) -> str:
        """Mend what was found; returns what was done, in a few words."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """A finding, and what was done about it if anything was."""

    finding: Finding
    repaired: str | None


async def look(
    check: Check[Subject], *, repair: bool = False, pauses: Sequence[float] = PAUSES
) -> AsyncIterator[Checked]:
    """All findings of ``check``, mended when told to."""
    batch: list[Subject] = []
    async for suspect in check.suspects():
        batch.append(suspect)
        if len(batch) == _BATCH:
            for checked in await _settle(check, batch, repair=repair, pauses=pauses):
                yield checked
            batch = []
    for checked in await _settle(check, batch, repair=repair, pauses=pauses):
        yield checked


async def _settle(
    check: Check[Subject], suspects: list[Subject], *, repair: bool, pauses: Sequence[float]
) -> list[Checked]:
    found = [(suspect, finding) for suspect in suspects if (finding := await check.confirm(suspect))]
    for pause in pauses:
        if not found:
            return []
        await asyncio.sleep(pause)
        found = [(suspect, finding) for suspect, _ in found if (finding := await check.confirm(suspect))]
    return [Checked(finding, await check.repair(suspect) if repair else None) for suspect, finding in found]
