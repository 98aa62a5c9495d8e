"""Running ``metastore fsck`` beside a product, or on one that is stopped."""

import asyncio
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.fixtures.process import COMMAND, MetastoreProcess


@dataclass
class Checked:
    """What a run of the check came to."""

    code: int
    findings: list[dict[str, Any]]
    summary: dict[str, Any]
    errors: str

    @property
    def kinds(self) -> list[str]:
        """The kinds of all findings, in order of the alphabet."""
        return sorted(finding["kind"] for finding in self.findings)


async def fsck(product: MetastoreProcess, *options: str) -> Checked:
    """Run the check with ``--json``."""
    command = ["setpriv", "--pdeathsig=KILL", "--", str(COMMAND), "fsck", "--json"]
    command += ["--data-dir", str(product.data_dir), *options]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env=product.environment(),
        cwd=product.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    *findings, summary = [json.loads(line) for line in done.stdout.splitlines()] or [{}]
    return Checked(done.returncode, findings, summary, done.stderr)
