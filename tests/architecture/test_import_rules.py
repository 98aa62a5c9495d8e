"""The import rules bite: each of them is broken on purpose in a copy of the tree, and noticed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

# Where, what is written there, and the line that must come of it.
_FORBIDDEN = [
    pytest.param(
        "kit/ids.py",
        "from metastore.features.auth import quota",
        "metastore.kit is not allowed to import metastore.features",
        id="the kit knows no feature",
    ),
    pytest.param(
        "ports/realtime.py",
        "from metastore.processes import relay",
        "metastore.ports is not allowed to import metastore.processes",
        id="a port knows no process",
    ),
    pytest.param(
        "features/auth/tokens.py",
        "from metastore import config",
        "metastore.features is not allowed to import metastore.config",
        id="a feature knows no settings",
    ),
    pytest.param(
        "features/auth/quota.py",
        "from metastore.features.files import names",
        "metastore.features.auth is not allowed to import metastore.features.files",
        id="a feature calls none above it",
    ),
    pytest.param(
        "features/audit/service.py",
        "from metastore.features.notifications import service",
        "metastore.features.audit is not allowed to import metastore.features.notifications",
        id="features of one storey do not know each other",
    ),
    pytest.param(
        "features/files/models.py",
        "from metastore.features.files import service",
        "metastore.features.files.models is not allowed to import metastore.features.files.service",
        id="tables know no rules",
    ),
    pytest.param(
        "features/media/playlists.py",
        "from metastore.features.media import streaming",
        "metastore.features.media.playlists is not allowed to import metastore.features.media.streaming",
        id="texts know nothing of who asks for them",
    ),
    pytest.param(
        "features/uploads/repository.py",
        "from metastore.features.uploads import endpoints",
        "metastore.features.uploads.repository is not allowed to import metastore.features.uploads.endpoints",
        id="statements know no endpoints",
    ),
    pytest.param(
        "features/notifications/schemas.py",
        "from metastore.features.notifications import models",
        "metastore.features.notifications.schemas is not allowed to import metastore.features.notifications.models",
        id="shapes know no tables",
    ),
    pytest.param(
        "features/search/folding.py",
        "from metastore.features.search import families",
        "metastore.features.search.folding is not allowed to import metastore.features.search.families",
        id="what search is made of stands apart",
    ),
    pytest.param(
        "processes/relay.py",
        "import metastore.adapters.rate_limiter.memory",
        "metastore.processes.relay -> metastore.adapters.rate_limiter.memory",
        id="only bootstrap knows adapters",
    ),
    pytest.param(
        "adapters/rate_limiter/memory.py",
        "import metastore.adapters.event_bus",
        "metastore.adapters.rate_limiter.memory -> metastore.adapters.event_bus",
        id="adapters do not know each other",
    ),
    pytest.param(
        "features/uploads/parts.py", "import limits", "metastore.features.uploads.parts -> limits", id="drivers"
    ),
    pytest.param(
        "kit/outbox.py",
        "import redis.asyncio",
        "metastore.kit.outbox -> redis",
        id="a driver is no business of the kit",
    ),
    pytest.param("processes/reaper.py", "import uvicorn", "metastore.processes.reaper -> uvicorn", id="the server"),
    pytest.param(
        "features/uploads/service.py",
        "from fastapi import HTTPException",
        "metastore.features.uploads.service -> fastapi",
        id="rules know no HTTP",
    ),
    pytest.param(
        "processes/consumers.py",
        "from metastore.kit import http",
        "metastore.processes.consumers -> metastore.kit.http",
        id="nor what the kit has for it",
    ),
    pytest.param(
        "features/notifications/service.py",
        "from metastore.features.auth.models import User",
        "metastore.features.notifications.service -> metastore.features.auth.models",
        id="a table belongs to one feature",
    ),
    *(
        pytest.param(
            "entrypoints/http.py",
            f"from metastore.features.{feature} import repository",
            f"metastore.entrypoints.http -> metastore.features.{feature}.repository",
            id=f"the statements of {feature} are its own",
        )
        for feature in ("analytics", "audit", "files", "media", "notifications", "search", "uploads")
    ),
]
_STRANGERS = ["helpers.py", "features/gossip/__init__.py", "features/auth/misc.py", "features/audit/misc.py"]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says about a tree with every rule broken, in one line."""
    root = tmp_path_factory.mktemp("broken")
    package = root / "src" / "metastore"
    shutil.copytree(_ROOT / "src" / "metastore", package, ignore=shutil.ignore_patterns("webapp", "__pycache__"))
    shutil.copy(_ROOT / ".importlinter", root)
    for number, case in enumerate(_FORBIDDEN):
        path, statement, _ = case.values
        with (package / str(path)).open("a") as module:
            # In a function: an import that is put off is an import all the same.
            module.write(f"\n\ndef violation_{number}() -> None:\n    {statement}\n")
    for path in _STRANGERS:
        (package / path).parent.mkdir(exist_ok=True)
        (package / path).write_text("")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(("path", "statement", "complaint"), _FORBIDDEN)
def test_a_forbidden_import_is_noticed(complaints: str, path: str, statement: str, complaint: str) -> None:
    assert complaint in complaints


@pytest.mark.parametrize("path", _STRANGERS)
def test_a_module_that_the_rules_do_not_place_is_noticed(complaints: str, path: str) -> None:
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    assert f"metastore.{name}" in complaints


def test_every_contract_is_broken_by_one_of_these(complaints: str) -> None:
    """A contract that nothing here breaks might be one that nothing can break."""
    assert " KEPT" not in complaints
