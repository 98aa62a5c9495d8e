"""The client imports nothing of the server, so that it can become a package of its own."""

import ast
import sys
from pathlib import Path

import pytest

import metastore.client

_PACKAGE = Path(metastore.client.__file__).parent
_MODULES = sorted(_PACKAGE.rglob("*.py"))
_LIBRARIES = {"blake3", "httpx", "pydantic"}


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in _MODULES])
def test_a_module_of_the_client_imports_nothing_of_the_server(path: Path) -> None:
    """Nor packages that only the server or the command line needs."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            package = name.partition(".")[0]
            assert name.startswith("metastore.client.") or package in _LIBRARIES | sys.stdlib_module_names, name
