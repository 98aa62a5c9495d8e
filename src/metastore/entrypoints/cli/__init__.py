"""The ``metastore`` command.

* ``transfer``: the client's commands (``upload``, ``download``, ``login``, ``logout``).
* ``accounts``, ``reprocess``: what the commands of ``metastore admin`` run.
* ``fsck``, ``move_to``: what the commands of these names run.
* ``terminal``: text for terminals.

Every command is declared here or in ``transfer.commands``, and imports what it runs when it is called, even the
settings. So the help of each loads little more than the library for command lines.
"""

import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import App, CycloptsError, Parameter, validators

from metastore import __version__
from metastore.entrypoints.cli import transfer
from metastore.entrypoints.startup import importing

if TYPE_CHECKING:
    from metastore.config import Settings

Result = TypeVar("Result")

# Plain text, since the renderer of Markdown alone would take a fifth of the time that help takes.
app = App(name="metastore", version=__version__, help="A self-hosted cloud drive.", help_format="plaintext")
admin = App(name="admin", help="Manage accounts and files from the server's own command line.")
app.command(admin)
transfer.register(app)


@app.command
def serve(*, host: str | None = None, port: int | None = None, data_dir: Path | None = None) -> None:
    """Run everything in one process.

    Args:
        host: address to listen on (default 127.0.0.1)
        port: port to listen on (default 8080)
        data_dir: folder of the embedded database and objects (default ./data)
    """
    settings = _settings(host=host, port=port, data_dir=data_dir)
    # After loading the settings, so that mistakes in them are reported at once.
    with importing():
        from metastore.entrypoints.serve import serve as run

    run(settings)


@app.command
def api(*, host: str | None = None, port: int | None = None) -> None:
    """Run the HTTP API, the web app and the sockets, as one of several such processes.

    Args:
        host: address to listen on (default 127.0.0.1)
        port: port to listen on (default 8080)
    """
    settings = _settings(host=host, port=port)
    with importing():
        from metastore.entrypoints.api import api as run

    run(settings)


@app.command
def relay(*, metrics_port: int | None = None) -> None:
    """Publish events from the database to the broker. Several relays may run at the same time.

    Args:
        metrics_port: port for /healthz, /readyz and /metrics (default: none)
    """
    settings = _settings(metrics_port=metrics_port)
    with importing():
        from metastore.entrypoints.workers import relay as run

    run(settings)


@app.command
def worker(*names: str, metrics_port: int | None = None) -> None:
    """Run consumers and recurring jobs. Several workers may run at the same time.

    Args:
        names: consumers and jobs to run (default: all); an unknown name prints the list
        metrics_port: port for /healthz, /readyz and /metrics (default: none)
    """
    settings = _settings(metrics_port=metrics_port)
    with importing():
        from metastore.entrypoints.workers import worker as run

    run(settings, names)


@app.command
def migrate(*, data_dir: Path | None = None) -> None:
    """Migrate the database to the current schema."""
    from metastore.bootstrap import prepare_database

    _run(prepare_database(_settings(data_dir=data_dir)))


@app.command
def fsck(
    *,
    repair: Annotated[bool, Parameter(negative="")] = False,
    quick: Annotated[bool, Parameter(name=["--quick", "--no-checksums"], negative="")] = False,
    json_lines: Annotated[bool, Parameter(name="--json", negative="")] = False,
    grace: int | None = None,
    data_dir: Path | None = None,
) -> int:
    """Compare the database with the object store, and verify the checksums of all files.

    The product may be running. To repair the embedded database or store, it must be stopped. Exits with 0 if nothing
    was found, 1 if something was, and 2 if the check could not run.

    Args:
        repair: repair what is found; files whose bytes are lost are marked, never deleted
        quick: do not verify checksums
        json_lines: print a JSON object for each finding, and a summary as the last line
        grace: seconds for which unreferenced objects are ignored (default: an hour, or the upload TTL if it is shorter)
        data_dir: folder of the embedded database and objects (default ./data)
    """
    from metastore.entrypoints.cli.fsck import fsck as run

    return run(_settings(data_dir=data_dir), repair=repair, reads=not quick, as_json=json_lines, grace=grace)


@app.command
def move_to(
    *,
    database: str,
    storage: str,
    abort_uploads: Annotated[bool, Parameter(negative="")] = False,
    parallel: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=32))] = 4,
    data_dir: Path | None = None,
) -> int:
    """Move everything to another database and object store.

    Stop the product first. The source is not changed. Run the same command again to resume an interrupted move.

    Args:
        database: the new METASTORE_DATABASE_URL, of an empty database
        storage: the new METASTORE_STORAGE_URL, of an empty bucket or folder
        abort_uploads: abort unfinished uploads, whose parts cannot be moved
        parallel: number of objects copied at the same time
        data_dir: folder of the embedded database and objects (default ./data)
    """
    from metastore.entrypoints.cli.move_to import move_to as run

    new = _settings(data_dir=data_dir, database_url=database, storage_url=storage)
    return run(_settings(data_dir=data_dir), new, abort_uploads=abort_uploads, parallel=parallel)


@app.command
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from metastore.entrypoints.http import openapi_document

    document = _run(openapi_document())
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@app.command
def asyncapi(*, page: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Print the AsyncAPI document of the events.

    Args:
        page: print docs/events.md instead
    """
    from metastore.entrypoints import asyncapi as events

    published, subscriptions = _run(events.published())
    document = json.dumps(events.document(published, subscriptions), indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(events.page(published, subscriptions) if page else document)


@admin.command
def create_user(
    username: str,
    email: str,
    *,
    role: Literal["USER", "ADMIN"] = "USER",
    password_stdin: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Create an account, even while registration is closed.

    Without --password-stdin, a password is generated and printed once.
    """
    from metastore.entrypoints.cli.accounts import create

    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    _run(create(_settings(data_dir=data_dir), username, email, role, password))


@admin.command
def reprocess(
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Process files again that lack thumbnails or streams, for example after an upgrade.

    Workers do the processing; the product may be running. Existing thumbnails and renditions are kept, and owners are
    not notified.

    Args:
        everything: also process files that seem to be complete
        data_dir: folder of the embedded database (default ./data)
    """
    from metastore.entrypoints.cli.reprocess import reprocess as run

    _run(run(_settings(data_dir=data_dir), everything=everything))


def main() -> None:
    """Run the command line. An operator's mistake is reported in one line, with exit code 2."""
    try:
        app(exit_on_error=False)
    except CycloptsError:
        # cyclopts has printed what is wrong.
        sys.exit(2)
    except Exception as error:
        message = _mistake(error)
        if message is None:
            raise
        sys.stderr.write(f"metastore: {message}\n")
        sys.exit(2)


def _mistake(error: Exception) -> str | None:
    """Return the line that reports an operator's mistake; ``None`` for any other error."""
    from metastore.config import ConfigurationError
    from metastore.kit.problems.problem import Problem

    match error:
        case ConfigurationError():
            return str(error)
        case Problem():
            return error.detail
    return None


def _settings(**options: str | int | Path | None) -> "Settings":
    with importing():
        from metastore.config import load_settings

    return load_settings(**options)


def _run(work: Coroutine[None, None, Result]) -> Result:
    import asyncio

    return asyncio.run(work)
