"""The ``metastore`` command."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from metastore import __version__
from metastore.config import ConfigurationError, load_settings
from metastore.kit.problem import Problem

app = App(name="metastore", version=__version__, help="A self-hosted cloud drive.")
admin = App(name="admin", help="Manage accounts and files from the server's own command line.")
app.command(admin)


@app.command
def serve(*, host: str | None = None, port: int | None = None, data_dir: Path | None = None) -> None:
    """Run everything in one process.

    Args:
        host: address to listen on (default 127.0.0.1)
        port: port to listen on (default 8080)
        data_dir: where the embedded database and objects live (default ./data)
    """
    settings = load_settings(host=host, port=port, data_dir=data_dir)
    # After the settings: a mistake in them is told at once.
    from metastore.entrypoints.serve import serve as run

    run(settings)


@app.command
def api(*, host: str | None = None, port: int | None = None) -> None:
    """Run the HTTP API, the web app and the sockets, as one of many such processes.

    Args:
        host: address to listen on (default 127.0.0.1)
        port: port to listen on (default 8080)
    """
    settings = load_settings(host=host, port=port)
    from metastore.entrypoints.api import api as run

    run(settings)


@app.command
def relay(*, metrics_port: int | None = None) -> None:
    """Carry recorded facts from the database to the broker; several may run side by side.

    Args:
        metrics_port: where to answer /healthz, /readyz and /metrics (default: nowhere)
    """
    settings = load_settings(metrics_port=metrics_port)
    from metastore.entrypoints.background import relay as run

    run(settings)


@app.command
def worker(*names: str, metrics_port: int | None = None) -> None:
    """Run consumers and recurring jobs; several workers may run side by side.

    Args:
        names: which of them (default: all); a wrong one is answered with the list
        metrics_port: where to answer /healthz, /readyz and /metrics (default: nowhere)
    """
    settings = load_settings(metrics_port=metrics_port)
    from metastore.entrypoints.background import worker as run

    run(settings, names)


@app.command
def migrate(*, data_dir: Path | None = None) -> None:
    """Bring the database's schema up to date."""
    from metastore.bootstrap import prepare_database

    asyncio.run(prepare_database(load_settings(data_dir=data_dir)))


@app.command
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from metastore.entrypoints.http import openapi_document

    document = asyncio.run(openapi_document())
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@app.command
def asyncapi(*, page: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Print the AsyncAPI document of the events.

    Args:
        page: print docs/events.md instead
    """
    from metastore.entrypoints import asyncapi as events

    facts, subscriptions = asyncio.run(events.published())
    document = json.dumps(events.document(facts, subscriptions), indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(events.page(facts, subscriptions) if page else document)


@admin.command
def create_user(
    username: str,
    email: str,
    *,
    role: Literal["USER", "ADMIN"] = "USER",
    password_stdin: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Create an account, also while registration is closed.

    Without --password-stdin a password is made and printed once.
    """
    from metastore.entrypoints.cli.accounts import create

    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    asyncio.run(create(load_settings(data_dir=data_dir), username, email, role, password))


@admin.command
def reprocess(
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    data_dir: Path | None = None,
) -> None:
    """Have the workers make the pictures and streams of files that came before there were any.

    May run beside the product. What there is already is kept; owners are not told.

    Args:
        everything: also look into files of which everything seems to be there
        data_dir: where the embedded database lies (default ./data)
    """
    from metastore.entrypoints.cli.reprocess import reprocess as run

    asyncio.run(run(load_settings(data_dir=data_dir), everything=everything))


def main() -> None:
    """Run the command line; mistakes of the operator end it with one line and exit code 2."""
    # Registered here, not above: the client commands need none of the server's packages and the other way round.
    from metastore.entrypoints.cli import transfer

    transfer.register(app)
    app.command("metastore.entrypoints.cli.fsck:fsck", name="fsck", help="Compare the database with the store.")
    app.command("metastore.entrypoints.cli.move_to:move_to", name="move-to", help="Carry everything over.")
    try:
        app(exit_on_error=False)
    except CycloptsError:
        # It has said what was wrong.
        sys.exit(2)
    except ConfigurationError as error:
        sys.exit(_complaint(str(error)))
    except Problem as problem:
        sys.exit(_complaint(problem.detail))


def _complaint(message: str) -> int:
    sys.stderr.write(f"metastore: {message}\n")
    return 2
