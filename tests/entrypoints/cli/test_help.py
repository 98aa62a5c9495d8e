"""Help is there at once, whatever else the command can do."""

import subprocess
import sys

import pytest

# What takes longest to import, and help does not need: the event loop, the settings, the client and the server.
_HEAVY = {"asyncio", "pydantic", "httpx", "sqlalchemy", "fastapi", "markdown_it", "metastore.config"}
_PROGRAM = """
import sys
from metastore.entrypoints.cli import main
try:
    main()
finally:
    print("loaded:", *sys.modules)
"""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--help"], "Run everything in one process."),
        (["upload", "--help"], "Upload files and folders."),
        (["login", "--help"], "Sign in, and stay signed in for later commands."),
    ],
)
def test_help_imports_nothing_of_what_the_commands_run(arguments: list[str], sentence: str) -> None:
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    help_text, _, loaded = shown.rpartition("loaded:")
    assert sentence in help_text
    assert not _HEAVY & set(loaded.split())
