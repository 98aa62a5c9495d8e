"""A violation of each import rule in a copy of the tree is reported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

# The module, the statement added to it, and the expected line of the report.
_FORBIDDEN = [
    pytest.param(
        "kit/ids.py",
        "from metastore.features.auth.accounts import quota",
        "metastore.kit is not allowed to import metastore.features",
        id="the kit imports no feature",
    ),
    pytest.param(
        "ports/realtime.py",
        "from metastore.processes import relay",
        "metastore.ports is not allowed to import metastore.processes",
        id="a port imports no process",
    ),
    pytest.param(
        "features/auth/service.py",
        "from metastore import config",
        "metastore.features is not allowed to import metastore.config",
        id="a feature imports no settings",
    ),
    pytest.param(
        "features/auth/accounts/quota.py",
        "from metastore.features.files import service",
        "metastore.features.auth is not allowed to import metastore.features.files",
        id="a feature imports none above it",
    ),
    pytest.param(
        "features/audit/service.py",
        "from metastore.features.notifications import service",
        "metastore.features.audit is not allowed to import metastore.features.notifications",
        id="features of one layer do not import each other",
    ),
    pytest.param(
        "features/files/models.py",
        "from metastore.features.files import service",
        "metastore.features.files.models is not allowed to import metastore.features.files.service",
        id="models do not import services",
    ),
    pytest.param(
        "features/media/repository.py",
        "from metastore.features.media import service",
        "metastore.features.media.repository is not allowed to import metastore.features.media.service",
        id="repositories do not import services",
    ),
    pytest.param(
        "features/uploads/repository.py",
        "from metastore.features.uploads import endpoints",
        "metastore.features.uploads.repository is not allowed to import metastore.features.uploads.endpoints",
        id="repositories do not import endpoints",
    ),
    pytest.param(
        "features/notifications/schemas.py",
        "from metastore.features.notifications import models",
        "metastore.features.notifications.schemas is not allowed to import metastore.features.notifications.models",
        id="schemas do not import models",
    ),
    pytest.param(
        "features/archives/urls.py",
        "from metastore.features.archives import service",
        "metastore.features.archives.urls is not allowed to import metastore.features.archives.service",
        id="URLs of archives do not import the service",
    ),
    pytest.param(
        "features/archives/layout/folders.py",
        "from metastore.features.archives.layout import snapshot",
        "metastore.features.archives.layout.folders is not allowed to import",
        id="the layers inside archives' layout",
    ),
    pytest.param(
        "features/sharing/link_tokens.py",
        "from metastore.features.sharing import service",
        "metastore.features.sharing.link_tokens is not allowed to import metastore.features.sharing.service",
        id="tokens of links do not import the service",
    ),
    pytest.param(
        "features/sharing/public/guessing.py",
        "from metastore.features.sharing.public import items",
        "metastore.features.sharing.public.guessing is not allowed to import metastore.features.sharing.public.items",
        id="the layers inside sharing's public",
    ),
    pytest.param(
        "features/search/schemas.py",
        "from metastore.features.search import repository",
        "metastore.features.search.schemas is not allowed to import metastore.features.search.repository",
        id="schemas do not import repositories",
    ),
    pytest.param(
        "features/media/probe/results.py",
        "from metastore.features.media.probe import step",
        "metastore.features.media.probe.results is not allowed to import metastore.features.media.probe.step",
        id="probe results do not import the step",
    ),
    pytest.param(
        "features/media/thumbnails/plan.py",
        "from metastore.features.media.thumbnails import step",
        "metastore.features.media.thumbnails.plan is not allowed to import metastore.features.media.thumbnails.step",
        id="the plan of thumbnails does not import the step",
    ),
    pytest.param(
        "features/media/playback/queries.py",
        "from metastore.features.media.playback import previews",
        "metastore.features.media.playback.queries is not allowed to import metastore.features.media.playback.previews",
        id="queries do not import previews",
    ),
    pytest.param(
        "client/errors.py",
        "from metastore.kit import ids",
        "metastore.client is not allowed to import metastore.kit",
        id="the client imports nothing of the server",
    ),
    pytest.param(
        "processes/relay.py",
        "import metastore.adapters.rate_limiter.memory",
        "metastore.processes.relay -> metastore.adapters.rate_limiter.memory",
        id="only bootstrap imports adapters",
    ),
    pytest.param(
        "adapters/rate_limiter/memory.py",
        "import metastore.adapters.event_bus",
        "metastore.adapters.rate_limiter.memory -> metastore.adapters.event_bus",
        id="adapters do not import each other",
    ),
    pytest.param(
        "features/media/playback/streaming.py",
        "from metastore.ports.presigner import Presigner",
        "metastore.features.media.playback.streaming -> metastore.ports.presigner",
        id="only delivery presigns reads",
    ),
    pytest.param(
        "features/uploads/service.py",
        "import aiobotocore",
        "metastore.features.uploads.service -> aiobotocore",
        id="a feature imports no driver",
    ),
    pytest.param(
        "kit/clock.py",
        "import redis.asyncio",
        "metastore.kit.clock -> redis",
        id="the kit imports no driver",
    ),
    pytest.param(
        "processes/reaper.py",
        "import uvicorn",
        "metastore.processes.reaper -> uvicorn",
        id="only entry points import the server",
    ),
    pytest.param(
        "features/uploads/service.py",
        "from fastapi import HTTPException",
        "metastore.features.uploads.service -> fastapi",
        id="services do not import FastAPI",
    ),
    pytest.param(
        "processes/consumers.py",
        "from metastore.kit.api import dependencies",
        "metastore.processes.consumers -> metastore.kit.api.dependencies",
        id="processes do not import the kit's HTTP modules",
    ),
    pytest.param(
        "features/notifications/service.py",
        "from metastore.features.auth.models import User",
        "metastore.features.notifications.service -> metastore.features.auth.models",
        id="a table is private to its feature",
    ),
    *(
        pytest.param(
            "entrypoints/http.py",
            f"from metastore.features.{feature} import repository",
            f"metastore.entrypoints.http -> metastore.features.{feature}.repository",
            id=f"the repository of {feature} is private",
        )
        for feature in ("analytics", "audit", "files", "media", "notifications", "search", "sharing", "uploads")
    ),
]
_UNLISTED = ["helpers.py", "features/chat/__init__.py", "features/auth/misc.py", "features/audit/misc.py"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the linter's report on a tree that violates every rule, as one line."""
    root = tmp_path_factory.mktemp("broken")
    package = root / "src" / "metastore"
    shutil.copytree(_ROOT / "src" / "metastore", package, ignore=shutil.ignore_patterns("webapp", "__pycache__"))
    shutil.copy(_ROOT / ".importlinter", root)
    for number, case in enumerate(_FORBIDDEN):
        path, statement, _ = case.values
        with (package / str(path)).open("a") as module:
            # In a function, since deferred imports count as well.
            module.write(f"\n\ndef violation_{number}() -> None:\n    {statement}\n")
    for path in _UNLISTED:
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


@pytest.mark.parametrize(("path", "statement", "expected"), _FORBIDDEN)
def test_a_forbidden_import_is_reported(report: str, path: str, statement: str, expected: str) -> None:
    assert expected in report


@pytest.mark.parametrize("path", _UNLISTED)
def test_a_module_that_no_rule_lists_is_reported(report: str, path: str) -> None:
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    assert f"metastore.{name}" in report


def test_every_contract_is_violated_by_one_of_the_cases(report: str) -> None:
    """A contract that no case violates might be ineffective."""
    assert " KEPT" not in report
