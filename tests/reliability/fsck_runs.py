"""Run ``metastore fsck`` beside a running product, or on a stopped one."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.programs import COMMAND, run


@dataclass
class FsckResult:
    """The result of a run of ``fsck``."""

    code: int
    findings: list[dict[str, Any]]
    summary: dict[str, Any]
    errors: str

    @property
    def kinds(self) -> list[str]:
        """The kinds of all findings, sorted."""
        return sorted(finding["kind"] for finding in self.findings)


async def fsck(product: MetastoreProcess, *options: str) -> FsckResult:
    """Run ``metastore fsck --json`` with ``options``."""
    command: list[str | Path] = [COMMAND, "fsck", "--json", "--data-dir", product.data_dir, *options]
    done = await asyncio.to_thread(run, command, cwd=product.folder, environment=product.environment())
    *findings, summary = [json.loads(line) for line in done.stdout.splitlines()] or [{}]
    return FsckResult(done.returncode, findings, summary, done.stderr)
