"""The modules that a child loads before its task starts."""

import subprocess
import sys

import pytest

_LOADED = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sys.modules)"


@pytest.mark.parametrize(
    "task",
    [
        "metastore.adapters.media_tools.documents.pdf_tasks",
        "metastore.adapters.media_tools.images.svg_tasks",
        "metastore.adapters.media_tools.av.tasks",
        "metastore.adapters.media_tools.images.raster_tasks",
        "metastore.adapters.transcoder.job",
    ],
)
def test_a_task_does_not_load_modules_of_the_parent(task: str) -> None:
    """Loading them would take longer than processing a small image, and give an attacker more code to use."""
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", _LOADED, task], capture_output=True, text=True, check=True
    ).stdout
    modules = set(loaded.split())
    assert task in modules
    assert modules.isdisjoint(
        {"asyncio", "pydantic", "structlog", "sqlalchemy", "metastore.adapters.sandbox.supervisor"}
    )
