"""``metastore fsck``: check the database and the object store for inconsistencies.

Exit codes: 0 nothing was found, 1 something was found (even if it was repaired), 2 the check could not run.
"""

import asyncio
import contextlib
import functools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from metastore import migrations
from metastore.bootstrap import open_for_checking
from metastore.config import ConfigurationError, Settings
from metastore.entrypoints.cli.terminal import printable
from metastore.entrypoints.serve import data_dir_lock
from metastore.features.files.content import integrity
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import ObjectStoreError
from metastore.processes.fsck import CheckResult, run_check
from metastore.processes.fsck.check import RECHECK_DELAYS
from metastore.processes.fsck.registry import Components, all_checks

CLEAN, FOUND = 0, 1
_MAX_GRACE = 3600


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a run. A finding is confirmed by checking again after each of ``recheck_delays``, in seconds."""

    repair: bool
    reads: bool
    grace: timedelta
    as_json: bool
    recheck_delays: Sequence[float]


@dataclass
class Report:
    """The results of a run."""

    counts: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    known_damaged: int = 0

    def add(self, checked: CheckResult) -> None:
        """Count a finding by its kind."""
        self.counts[checked.finding.kind] = self.counts.get(checked.finding.kind, 0) + 1
        self.repaired += checked.repaired is not None

    @property
    def found(self) -> int:
        """Return the number of findings."""
        return sum(self.counts.values())


def fsck(settings: Settings, *, repair: bool, reads: bool, as_json: bool, grace: int | None) -> int:
    """Check, and print what is found. Return the exit code.

    Args:
        settings: the settings of the instance
        repair: whether to repair what is found
        reads: whether to verify checksums
        as_json: whether to print JSON lines
        grace: seconds for which unreferenced objects are ignored; ``None`` for an hour, or the upload TTL if shorter

    Raises:
        ConfigurationError: the check could not run.
    """
    grace_period = timedelta(seconds=min(_MAX_GRACE, settings.upload_ttl) if grace is None else grace)
    require_database(settings.effective_database_url)
    with _locked(settings, repair=repair) as alone:
        options = Options(repair, reads, grace_period, as_json, () if alone else RECHECK_DELAYS)
        report = asyncio.run(_run(settings, options))
    return FOUND if report.found else CLEAN


async def _run(settings: Settings, options: Options) -> Report:
    await _require_schema(settings)
    components, close = await open_for_checking(settings, repair=options.repair)
    try:
        return await _check(components, options)
    except ObjectStoreError as error:
        raise ConfigurationError(f"the check was aborted: {error}") from None
    except Problem as problem:
        raise ConfigurationError(f"the check was aborted: {problem.detail}") from None
    finally:
        await close()


async def _check(components: Components, options: Options) -> Report:
    report = Report()
    async with components.database.reading() as tx:
        size = await integrity.stored_bytes(tx) if options.reads else 0
    with _bar(size) as progress:
        task = progress.add_task("checking", total=size or None)
        advance = functools.partial(progress.advance, task)
        checks = all_checks(components, grace=options.grace, reads=options.reads, advance=advance)
        for name, check in checks.items():
            progress.update(task, description=name)
            async for checked in run_check(check, repair=options.repair, recheck_delays=options.recheck_delays):
                report.add(checked)
                _report(checked, progress.console, as_json=options.as_json)
    async with components.database.reading() as tx:
        report.known_damaged = await integrity.count_damaged(tx)
    _summarize(report, as_json=options.as_json)
    return report


def _report(checked: CheckResult, console: Console, *, as_json: bool) -> None:
    finding = checked.finding
    if as_json:
        line = json.dumps({**asdict(finding), "repaired": checked.repaired}, ensure_ascii=False)
    else:
        done = f"repaired: {checked.repaired}" if checked.repaired else f"--repair {finding.repair}"
        line = printable(f"{finding.severity}: {finding.kind} {finding.id}: {finding.found} ({done})")
    if console.is_terminal and sys.stdout.isatty():
        # Print above the bar, which is redrawn below.
        console.print(line, markup=False, soft_wrap=True)
        return
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _summarize(report: Report, *, as_json: bool) -> None:
    if as_json:
        summary = {
            "summary": {
                "findings": report.found,
                "kinds": report.counts,
                "repaired": report.repaired,
                "markedAsDamaged": report.known_damaged,
            }
        }
        sys.stdout.write(json.dumps(summary) + "\n")
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.counts.items()))
    found = f"{report.found} findings ({kinds}), {report.repaired} repaired" if report.found else "Nothing was found"
    known = f"; {report.known_damaged} files are marked as damaged" if report.known_damaged else ""
    sys.stdout.write(f"{found}{known}.\n")


@contextlib.contextmanager
def _locked(settings: Settings, *, repair: bool) -> Iterator[bool]:
    """Lock the data folder for repairs; yield whether no other process can use the database and the store."""
    database, storage = settings.effective_database_url, settings.effective_storage_url
    embedded = (database.startswith("sqlite"), storage.startswith("file:"))
    if not repair or not any(embedded):
        yield False
        return
    with contextlib.ExitStack() as locks:
        try:
            locks.enter_context(data_dir_lock(settings.data_dir))
        except ConfigurationError as error:
            raise ConfigurationError(f"{error}; stop it to repair, or check without --repair") from None
        yield all(embedded)


def require_database(database_url: str) -> None:
    """Check that an embedded database exists, rather than create one.

    Raises:
        ConfigurationError: it does not exist.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ConfigurationError(f"METASTORE_DATABASE_URL: there is no database at {url.database}")


async def _require_schema(settings: Settings) -> None:
    """Check that the database has the current schema.

    Raises:
        ConfigurationError: it has another schema, or is unavailable.
    """
    try:
        behind = await migrations.pending(settings.effective_database_url)
    except (SQLAlchemyError, OSError) as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        raise ConfigurationError(f"METASTORE_DATABASE_URL: the database cannot be used: {reason}") from None
    if behind:
        raise ConfigurationError("the database does not have the current schema: run metastore migrate first")


def _bar(size: int) -> Progress:
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal or not size, transient=True)
