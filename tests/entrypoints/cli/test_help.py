"""Help is there at once, whatever else the command can do."""

import subprocess
import sys

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


def test_help_imports_nothing_of_what_the_commands_run() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "--help"], capture_output=True, text=True, check=True
    ).stdout
    help_text, _, loaded = shown.rpartition("loaded:")
    assert "Run everything in one process." in help_text
    assert not _HEAVY & set(loaded.split())
