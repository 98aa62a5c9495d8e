"""Help is there at once, whatever else the command can do."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App

from metastore.entrypoints.cli import app

# What takes longest to import, and help does not need: the event loop, the settings, the client and the server.
_HEAVY = {"asyncio", "pydantic", "httpx", "sqlalchemy", "fastapi", "av", "markdown_it", "metastore.config"}
_PROGRAM = """
import sys
from metastore.entrypoints.cli import main
try:
    main()
finally:
    print("loaded:", *sys.modules)
"""


def _commands(parent: App = app, *path: str) -> Iterator[tuple[str, ...]]:
    """Return the path of ``parent`` and of every command below it."""
    yield path
    for name in parent:
        if not name.startswith("-"):
            yield from _commands(parent[name], *path, name)


@pytest.mark.parametrize("command", [*_commands()], ids=" ".join)
def test_help_imports_nothing_of_what_the_command_runs(command: tuple[str, ...]) -> None:
    program = [sys.executable, "-c", _PROGRAM, *command, "--help"]
    shown = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    help_text, _, loaded = shown.rpartition("loaded:")
    assert " ".join(("Usage: metastore", *command)) in help_text
    assert not _HEAVY & set(loaded.split())


def test_the_commands_that_are_checked_include_those_of_server_client_and_admin() -> None:
    commands = set(_commands())
    assert {("serve",), ("fsck",), ("move-to",), ("upload",), ("admin", "create-user")} <= commands
