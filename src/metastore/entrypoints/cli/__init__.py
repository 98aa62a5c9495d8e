"""The ``metastore`` command.

* ``transfer``: the client's commands (``upload``, ``download``, ``login``, ``logout``).
* ``accounts``, ``reprocess``: the commands of ``metastore admin``.
* ``fsck``, ``move_to``: the commands of these names.
* ``terminal``: text for terminals. ``startup``: quick imports.

All other commands are short enough to be here. Each imports what it runs, even the settings, so that the others start
quickly: ``metastore --help`` loads little more than the library for command lines.
"""

import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import App, CycloptsError, Parameter

from metastore import __version__
from metastore.entrypoints.cli.startup import importing

if TYPE_CHECKING:
    from metastore.config import Settings

Result = TypeVar("Result")

# Plain text, since the renderer of Markdown alone would take a fifth of the time that help takes.
app = App(name="metastore", version=__version__, help="A self-hosted cloud drive.", help_format="plaintext")
admin = App(name="admin", help="Manage accounts and files from the server's own command line.")
app.command(admin)


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
    # Registered here, not above: the client's commands do not need the server's packages, and vice versa.
    from metastore.entrypoints.cli import transfer

    transfer.register(app)
    app.command("metastore.entrypoints.cli.fsck:fsck", name="fsck", help="Compare the database with the object store.")
    app.command(
        "metastore.entrypoints.cli.move_to:move_to",
        name="move-to",
        help="Move to another database and object store.",
    )
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
    from metastore.config import load_settings

    return load_settings(**options)


def _run(work: Coroutine[None, None, Result]) -> Result:
    import asyncio

    return asyncio.run(work)
